using OrtPeft.Adapters.BitFit;
using OrtPeft.Adapters.Bottleneck;
using OrtPeft.Adapters.Full;
using OrtPeft.Compilation.Artifacts;
using OrtPeft.OnDevice.Tests.Engine;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Serialization;
using OrtPeft.Testing;
using OrtPeft.Training.Tests.Runs;

namespace OrtPeft.OnDevice.Tests;

/// <summary>Twenty steps as HF PEFT and PyTorch took them in float64, by ONNX Runtime's training engine.</summary>
[Collection(EngineCollection.Name)]
public sealed class GoldenLossTests(EngineRun run)
{
    private const string Imported = "imported";

    /// <summary>What float32 leaves of twenty steps; the same as for the trainer's own runs.</summary>
    private const double Tolerance = 1e-4;

    private static readonly (GoldenRow Row, string[] Graphs)[] Rows =
    [
        (new("lora_all"), ["hf415_g2l_nopast_op11.onnx", "ortopt_extended_hf442_g2l_nopast_op13.onnx"]),
        (new("houlsby_gelu", Bottleneck("gelu")), ["hf415_g2l_nopast_op11.onnx", "hf442_g2l_past_op17.onnx"]),
        (new("prompt"), ["hf415_g2l_nopast_op11.onnx", "mslora_g2l_op13.onnx"]),
        (new("prefix"), ["hf442_g2l_nopast_op13.onnx", "ortstyle_g2l_past_op11.onnx"]),
        (new("bitfit", new BitFitConfig()), ["hf442_g2l_past_op17.onnx", "hf44v_g2l_nopast_op12.onnx"]),
        (new("full_tied", new FullConfig()), ["hf442_g2l_nopast_op13.onnx", "hf442_g2l_nopast_op17.onnx"]),
        (new("lora_cattn_biaslora"), []),
        (new("rslora_cattn"), []),
        (new("dora_all"), ["hf442_g2l_idsonly_op15.onnx"]),
        (new("ia3"), []),
        (new("lntuning"), []),
        (new("houlsby_relu", Bottleneck("relu")), []),
        (new("ptuning"), []),
        (new("prefix_proj"), []),
    ];

    public static TheoryData<string, string, FrozenWeights> Runs
    {
        get
        {
            var data = new TheoryData<string, string, FrozenWeights>();
            foreach (var (row, graphs) in Rows)
            {
                foreach (var graph in graphs.Prepend(Imported))
                    data.Add(row.Name, graph, FrozenWeights.Checkpoint);
            }

            data.Add("lora_all", Imported, FrozenWeights.Embed);
            data.Add("full_tied", Imported, FrozenWeights.Embed);
            data.Add("prefix", "hf442_g2l_nopast_op13.onnx", FrozenWeights.Embed);
            return data;
        }
    }

    internal static IEnumerable<EngineJob> Jobs => Runs.Select(static r =>
    {
        var (name, graph, frozen) = ((string)r[0], (string)r[1], (FrozenWeights)r[2]);
        return new EngineJob(
            NameOf(name, graph, frozen),
            () => Rows.Single(row => row.Row.Name == name).Row.Open(Base(graph)),
            [.. EngineStep.TrainSteps(20), EngineStep.Evaluate(0)])
        {
            Options = EngineJob.LikePyTorch with { Frozen = frozen },
        };
    });

    [EngineTheory]
    [MemberData(nameof(Runs))]
    public void TrainingSession_WhenHfPeftDidToo_FollowsIt(string name, string graph, FrozenWeights frozen)
    {
        var golden = TrainRun.Open(name);

        var losses = run[NameOf(name, graph, frozen)].Losses;

        double[] expected = [.. golden.Measured("const", "losses"), golden.LossAfter("const")];
        Assert.Equal(expected.Length, losses.Count);
        foreach (var (step, (wanted, found)) in expected.Zip(losses).Index())
            Assert.True(Math.Abs(wanted - found) <= Tolerance, $"step {step + 1}: {found}, expected {wanted}");
    }

    private static string NameOf(string name, string graph, FrozenWeights frozen) => $"golden/{name}/{graph}/{frozen}";

    private static Model Base(string graph) => graph == Imported
        ? Tiny.Base
        : OnnxFile.Load(Fixtures.Graph(graph));

    private static BottleneckConfig Bottleneck(string activation) =>
        new BottleneckConfig { ReductionFactor = 4, NonLinearity = activation };
}
