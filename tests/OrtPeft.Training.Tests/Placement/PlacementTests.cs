using OrtPeft.Adapters;
using OrtPeft.Adapters.Quantization;
using OrtPeft.Artifacts;
using OrtPeft.Compilation.Graphs;
using OrtPeft.Compilation.Objectives;
using OrtPeft.Compilation.Portable;
using OrtPeft.Compilation.Rewrites;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Quantization;
using OrtPeft.Onnx.Shapes;
using OrtPeft.Runtime.Sessions;
using OrtPeft.Tensors;
using OrtPeft.Training.Tests.Conformance;
using OrtPeft.Training.Tests.Runs;

namespace OrtPeft.Training.Tests.Placement;

/// <summary>No node on a tensor larger than a list of axes falls back to the CPU, by ONNX Runtime's tables of kernels, in
/// the training, evaluation and optimizer graphs of every method. WebGPU is run besides, see OrtPeft.WebGpu.Tests.</summary>
public sealed class PlacementTests
{
    /// <summary>What falls back all the same, and why that is accepted.</summary>
    private static readonly Dictionary<string, Dictionary<string, string>> _accepted = new()
    {
        ["cuda"] = [],
        ["dml"] = new()
        {
            ["ScatterElements(float, int64, float)"] = "gradients of rows of an embedding; it has none from opset 18 on",
            ["ScatterND(float, int64, float)"] = "gradients of labelled rows; it has none from opset 18 on",
        },
        ["webgpu"] = [],
    };

    /// <summary>Quantised bases, as <c>ortpeft quantize</c> writes them.</summary>
    private static readonly BlockFormat[] _formats =
    [
        new(), new() { IsSymmetric = false }, new() { Bits = 8 }, new() { Bits = 8, IsSymmetric = false },
        new() { CodeBook = CodeBook.NormalFloat4 },
    ];

    public static TheoryData<string> Providers => [.. _accepted.Keys];

    /// <summary>In steps of training an axis that depends on what is in a tensor would have to be read back before the next
    /// kernel starts: no operator makes one.</summary>
    [Theory]
    [MemberData(nameof(Providers))]
    public void Graphs_OfEveryMethod_StayOnTheDevice_AndStepsDoNotWait(string provider)
    {
        string[] dependent = ["NonZero", "Unique", "Compress", "NonMaxSuppression", "Loop", "If", "Scan"];
        var table = KernelTable.Of(provider);
        var (strays, waits) = (new HashSet<string>(StringComparer.Ordinal), new List<string>());
        foreach (var step in Steps(provider))
        {
            strays.UnionWith(Strays(table, provider, step));
            waits.AddRange(step.Graph.Nodes.Where(n => dependent.Contains(n.OpType)).Select(static n => n.ToString()));
        }

        strays.UnionWith(OtherGraphs(provider).SelectMany(g => Strays(table, provider, g)));

        Assert.Empty(waits);
        var (unexpected, gone) = (strays.Except(_accepted[provider].Keys), _accepted[provider].Keys.Except(strays));
        Assert.True(!unexpected.Any(), string.Join('\n', unexpected));
        Assert.True(!gone.Any(), $"No longer needed: {string.Join(", ", gone)}");
    }

    private static IEnumerable<string> Strays(KernelTable table, string provider, Model model)
    {
        StandIns.Put(model, ExecutionProvider.Named(provider).Lacks);
        new ShapeInference(model.Opset).Infer(model.Graph);
        return model.Graph.Nodes
            .Where(n => n.Inputs.OfType<Value>().Concat(n.Outputs).Any(v => IsLarge(v, provider)) && !table.Has(n, model.Opset, v => IsLarge(v, provider)))
            .Select(static n => $"{n.OpType}({string.Join(", ", n.Inputs.Select(static i => i is null ? "" : KernelTable.NameOf(i.Type)))})");
    }

    /// <summary>WebGPU computes no int64, which only lists of tokens and places are of.</summary>
    private static bool IsLarge(Value value, string provider) =>
        KernelTable.IsLarge(value) && (provider != "webgpu" || value.Type.IsFloating());

    /// <summary>As they run on a device: parameters and gradients are flat.</summary>
    private static IEnumerable<Model> OtherGraphs(string provider)
    {
        foreach (var peft in Adapted())
        {
            var parameters = PortableParameters.Of(peft, static _ => 1).All;
            yield return FlatGraph.Of(EvaluationGraph.Build(peft, new CausalLm()), parameters).Model;
            yield return peft.ForInference();
        }

        foreach (var type in ExecutionProvider.Named(provider).HalfTypes)
        {
            var peft = Tiny.Lora();
            var half = HalfProducts.Of(EvaluationGraph.Build(peft, new CausalLm()), type, rounds: false);
            yield return FlatGraph.Of(half, PortableParameters.Of(peft, static _ => 1).All).Model;
        }

        var lora = PortableParameters.Of(Tiny.Lora(), static _ => 1).All;
        foreach (var optimizer in (OptimizerConfig[])
        [
            new AdamWConfig(), new AdamW8bitConfig(), new AdafactorConfig(), new LionConfig(), new MuonConfig(),
            new ScheduleFreeAdamWConfig(), new SgdConfig(),
        ])
        {
            yield return OptimizerGraph.Build(lora, optimizer).Model;
            yield return OptimizerGraph.Build(lora, optimizer, scalesLoss: true).Model;
        }
    }

    /// <summary>The training graphs, in float32 and in each type in which the provider multiplies.</summary>
    private static IEnumerable<Model> Steps(string provider)
    {
        foreach (var peft in Adapted())
        {
            var parameters = PortableParameters.Of(peft, static _ => 1).All;
            yield return FlatGraph.Of(Step(peft, halves: false), parameters).Model;
            foreach (var type in ExecutionProvider.Named(provider).HalfTypes)
            {
                var scaled = LossScaling.Of(Step(peft, halves: true));
                yield return FlatGraph.Of(HalfProducts.Of(scaled, type, rounds: false), parameters).Model;
            }
        }
    }

    private static CompiledGraph Step(PeftModel peft, bool halves) => TrainingGraph.Build(
        peft, new CausalLm(), new TrainingGraphOptions { MasksLabels = true, ScalesProbabilities = halves });

    private static IEnumerable<PeftModel> Adapted()
    {
        foreach (var row in MethodCases.All.Where(static r => !r.RefusedOn.ContainsKey("gpt2")))
            yield return PeftModel.Create(Tiny.Base, row.Config, seed: 1);
        foreach (var format in _formats)
            yield return Tiny.Lora(ModelQuantizer.Quantize(Tiny.Base, format).Model);
    }
}
