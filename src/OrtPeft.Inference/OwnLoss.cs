using OrtPeft.Onnx;
using OrtPeft.Onnx.Decoders;
using OrtPeft.Onnx.Passes;

namespace OrtPeft.Inference;

/// <summary>
/// Takes the loss out of a graph that brings its own: answers do not need it, and its shifted labels are empty where
/// the sequence is a single token.
/// </summary>
internal static class OwnLoss
{
    private const string Name = "loss";

    /// <summary>The model without its own loss.</summary>
    /// <param name="model">A decoder; not changed.</param>
    /// <returns>A copy, or the model itself where it has no labels.</returns>
    public static Model Without(Model model)
    {
        if (model.Graph.Inputs.All(static i => i.Name != DecoderNames.Labels))
            return model;
        var copy = model.Clone();
        OutputRemoval.Run(copy, copy.Graph.Outputs.Where(static o => o.Name == Name || o.Shape is { Rank: 0 }));
        return copy;
    }
}
