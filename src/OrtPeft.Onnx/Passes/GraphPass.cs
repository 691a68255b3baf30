namespace OrtPeft.Onnx.Passes;

/// <summary>A rewrite of a whole model, in place, that keeps what the model computes.</summary>
/// <param name="Name">What reports and messages call it.</param>
/// <param name="Edit">Does it.</param>
internal sealed record GraphPass(string Name, Action<Model> Edit)
{
    /// <summary>Applies the pass to a model.</summary>
    /// <param name="model">The model, edited in place.</param>
    /// <exception cref="UnsupportedOpException">The pass cannot rewrite a node; the message names it.</exception>
    /// <exception cref="GraphException">A node contradicts its operator's definition.</exception>
    /// <exception cref="PassException">The pass failed in a way that it does not foresee.</exception>
    public void Run(Model model)
    {
        ArgumentNullException.ThrowIfNull(model);
        CheckedEdit.Run($"pass '{Name}'", model.Graph, () => Edit(model));
    }
}
