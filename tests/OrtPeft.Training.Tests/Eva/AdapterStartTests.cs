using OrtPeft.Adapters.Lora;
using OrtPeft.Testing;
using OrtPeft.Training.Data;
using OrtPeft.Training.Eva;
using OrtPeft.Training.Tests.Runs;

namespace OrtPeft.Training.Tests.Eva;

public sealed class AdapterStartTests
{
    private static readonly LoraConfig Config = new() { R = 3, TargetModules = ["c_attn"] };

    [Fact]
    public void Create_OfAStartThatNeedsNoRows_DoesNotAskForThem()
    {
        static IDataset Unasked() => throw new InvalidOperationException("rows are not needed");

        var model = AdapterStart.Create(Tiny.Base, Config, Unasked, Tiny.Arguments);

        Assert.NotEmpty(model.Parameters);
    }

    [Fact]
    public void Create_OfEva_StartsFromTheRows()
    {
        var config = Config with { InitLoraWeights = LoraInit.Eva };
        var arguments = Tiny.Arguments with { BatchSize = 12, Seed = 7 };

        var model = AdapterStart.Create(Tiny.Base, config, static () => Tiny.Data, arguments);

        var expected = EvaInitialisation.Create(Tiny.Base, config, Tiny.Data, batchSize: 12, seed: 7).GetWeights();
        Assert.Equal(expected.Keys, model.GetWeights().Keys);
        Assert.All(expected, w => Near.Absolute(w.Value, model.GetWeights()[w.Key], 1e-5, w.Key));
    }
}
