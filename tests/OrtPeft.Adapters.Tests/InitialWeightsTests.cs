using OrtPeft.Adapters.Bottleneck;
using OrtPeft.Adapters.Ia3;
using OrtPeft.Adapters.Loha;
using OrtPeft.Adapters.Lokr;
using OrtPeft.Adapters.Lora;
using OrtPeft.Adapters.PTuning;
using OrtPeft.Adapters.PrefixTuning;
using OrtPeft.Adapters.PromptTuning;
using OrtPeft.Adapters.TrainableTokens;
using OrtPeft.Adapters.Vera;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Tensors;
using OrtPeft.Tensors.Storage;

namespace OrtPeft.Adapters.Tests;

public sealed class InitialWeightsTests
{
    private const string Layer = "h.0.attn.c_attn";

    private static readonly PeftConfig[] Configs =
    [
        new LoraConfig { TargetModules = "all-linear" },
        new LoraConfig { R = 4, TargetModules = ["wte", "c_attn"], UseDora = true, InitLoraWeights = "gaussian" },
        new LoraConfig { R = 4, InitLoraWeights = "pissa" },
        new LoraConfig { R = 4, InitLoraWeights = "pissa_niter_4", UseDora = true },
        new LoraConfig { R = 4, InitLoraWeights = "olora" },
        new LoraConfig { R = 4, InitLoraWeights = "orthogonal" },
        new LoraConfig { R = 4, LoraBias = true, TrainableTokenIndices = TokenIndices.Of(1, 5) },
        new LoraConfig { R = 4, EnableLora = [true, false, true], UseDora = true },
        new Ia3Config { InitIa3Weights = false },
        new LohaConfig { R = 2 },
        new LokrConfig { R = 2 },
        new VeraConfig { R = 8 },
        new BottleneckConfig(),
        new TrainableTokensConfig { TokenIndices = [3, 1] },
        new PromptTuningConfig { NumVirtualTokens = 4 },
        new PTuningConfig { NumVirtualTokens = 4, EncoderReparameterizationType = "LSTM" },
        new PrefixTuningConfig { NumVirtualTokens = 4, PrefixProjection = true },
    ];

    public static TheoryData<int> Cases => [.. Enumerable.Range(0, Configs.Length)];

    [Theory]
    [MemberData(nameof(Cases))]
    public void Inject_OfEachMethod_MakesNoWeightBeforeItIsRead(int number)
    {
        var (config, model) = (Configs[number], Gpt2.Canonical(Gpt2.Imported));

        var injection = PeftMethods.Of(config).Inject(model, config, seed: 1);

        var all = injection.Parameters.Concat(injection.Buffers).ToList();
        Assert.NotEmpty(all);
        Assert.All(all, static p => Assert.False(Promised(p).IsMade, p.Name));
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Fit_OfGivenWeights_MakesNone(int number)
    {
        var (config, model) = (Configs[number], Gpt2.Canonical(Gpt2.Imported));
        var weights = PeftModel.Create(model, config).GetWeights();
        var injection = PeftMethods.Of(config).Inject(model, config, seed: 1);
        var all = injection.Parameters.Concat(injection.Buffers).ToList();
        PromisedTensorData[] promised = [.. all.Select(Promised)];

        foreach (var (parameter, tensor) in AdapterCheck.Fit(injection, weights, "weights"))
            model.Graph.SetInitializer(parameter.Value, tensor);
        InitialWeights.MakeIn(model.Graph, all);

        Assert.All(promised, static p => Assert.False(p.IsMade));
        Assert.All(all, p => Assert.Same(weights[p.Name].Data, p.Value.Initializer!.Data));
    }

    [Fact]
    public void Create_OfAFreshAdapter_MakesEveryWeight()
    {
        var peft = PeftModel.Create(Gpt2.Open(Gpt2.Imported), Configs[2]);

        Assert.All(peft.GetWeights().Values, static t => Assert.IsType<MemoryTensorData>(t.Data));
    }

    [Fact]
    public void Create_WhenTheStartIsGivenToo_DecomposesNoWeight()
    {
        var config = new LoraConfig { R = 2, InitLoraWeights = "pissa", TargetModules = [Layer] };
        var weights = PeftModel.Create(Base(out _), config).GetWeights();
        var ofBase = Base(out var reads);

        var whole = PeftModel.Create(ofBase, config, weights, "weights");
        var withStart = reads.Count;
        _ = PeftModel.Create(
            ofBase, config, whole.Adapters.SavedWeightsOf(PeftModel.DefaultName), "weights");

        Assert.Equal(0, withStart);
        Assert.True(reads.Count > 0, "without A₀ and B₀ in the file the weight is decomposed");
    }

    private static PromisedTensorData Promised(AdapterParameter parameter) =>
        Assert.IsType<PromisedTensorData>(parameter.Value.Initializer!.Data);

    private static Model Base(out CountedData reads)
    {
        var model = SmallGraphs.Of(static (g, x) => g.Gemm(x, SmallGraphs.Weight(g, $"{Layer}.weight", 2, 6)));
        var weight = model.Graph.Find($"{Layer}.weight")!;
        reads = new CountedData(weight.Initializer!.Data);
        model.Graph.SetInitializer(weight, new Tensor(ElementType.Float, [2, 6], reads));
        return model;
    }

    private sealed class CountedData(TensorData data) : TensorData
    {
        public int Count { get; private set; }

        public override long Length => data.Length;

        public override ReadOnlySpan<byte> Slice(long offset, int count)
        {
            Count++;
            return data.Slice(offset, count);
        }

        public override PinnedBytes Pin()
        {
            Count++;
            return data.Pin();
        }
    }
}
