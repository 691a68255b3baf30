using OrtPeft.Onnx;
using OrtPeft.Onnx.Passes;
using OrtPeft.Onnx.Passes.Idioms;
using OrtPeft.Testing;

namespace OrtPeft.Training.Tests.Conformance;

/// <summary>One base for all methods: none may change it.</summary>
internal sealed class TrainedBase
{
    public TrainedBase(BaseCase row)
    {
        (Case, Model, Other) = (row, row.Open(), row.OpenOther());
        var canonical = Model.Clone();
        CanonicalForm.Apply(canonical);
        Logits = LogitsOf(canonical);
        RmsNormLowering.Run(canonical);
        NodeCount = canonical.Graph.Nodes.Count;
    }

    public BaseCase Case { get; }

    public Model Model { get; }

    /// <summary>A base of another width.</summary>
    public Model Other { get; }

    /// <summary>The base's answers.</summary>
    public float[] Logits { get; }

    /// <summary>The number of nodes of the base as a merged model has it.</summary>
    public int NodeCount { get; }

    /// <summary>The answers to the first batch.</summary>
    public static float[] LogitsOf(Model model) => DecoderLogits.Of(model, TrainRun.Batch(0)).ToFloat32();
}
