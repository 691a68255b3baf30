using OrtPeft.Onnx;

namespace OrtPeft.Compilation.Objectives;

/// <summary>The objective that training minimises: a sum over supervised elements, so that micro-batches add up
/// exactly.</summary>
public interface IObjective
{
    /// <summary>The name in manifests, such as <c>causal-lm</c>.</summary>
    string Name { get; }

    /// <summary>Adds the loss to a graph.</summary>
    /// <param name="scope">The graph, and where to add.</param>
    /// <returns>The loss, its element count, and where differentiation starts.</returns>
    /// <exception cref="GraphException">The graph lacks what the loss needs.</exception>
    LossValues Build(LossScope scope);
}
