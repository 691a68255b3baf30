using OrtPeft.Adapters;
using OrtPeft.Testing;

namespace OrtPeft.Training.Tests.Runs;

/// <summary>A run that PyTorch did: which configuration follows it.</summary>
/// <param name="Name">The run, such as <c>lora_cattn</c>.</param>
/// <param name="Config">The configuration; null where HF PEFT wrote one.</param>
internal sealed record GoldenRow(string Name, PeftConfig? Config = null)
{
    /// <summary>The variants of the run: <c>const</c> and <c>clip</c>.</summary>
    public IReadOnlyList<string> Variants { get; init; } = ["const", "clip"];

    /// <summary>
    /// Graphs of the same weights by three exporters: attributes of old opsets, a cache, fused operators.
    /// </summary>
    public IReadOnlyList<string> Graphs { get; init; } =
    [
        "hf415_g2l_nopast_op11.onnx",
        "hf442_g2l_past_op17.onnx",
        "ortopt_extended_hf442_g2l_nopast_op13.onnx",
    ];

    /// <summary>The adapted model with the run's first weights.</summary>
    public PeftModel Open(Onnx.Model baseModel)
    {
        var run = TrainRun.Open(Name);
        var config = Config ?? AdapterFolder.LoadConfig(run.AdapterFolder);
        var weights = run.All("init");
        return weights.Count == 0
            ? PeftModel.Create(baseModel, config)
            : PeftModel.Create(baseModel, config, weights, Name);
    }
}
