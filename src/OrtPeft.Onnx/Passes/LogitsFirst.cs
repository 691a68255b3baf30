namespace OrtPeft.Onnx.Passes;

/// <summary>
/// Puts the logits first among the results: the output of that name, or, where a graph begins with its own scalar loss,
/// the last floating-point output of three axes.
/// </summary>
public static class LogitsFirst
{
    /// <summary>Runs the pass in place.</summary>
    /// <param name="model">The model.</param>
    public static void Run(Model model)
    {
        ArgumentNullException.ThrowIfNull(model);
        var outputs = model.Graph.Outputs.ToArray();
        var logits = outputs.FirstOrDefault(static o => o.Name == "logits") ?? BehindOwnLoss(outputs);
        if (logits is null || outputs[0] == logits)
            return;
        foreach (var output in outputs)
            model.Graph.RemoveOutput(output);
        foreach (var output in outputs.Where(o => o != logits).Prepend(logits))
            model.Graph.AddOutput(output);
    }

    private static Value? BehindOwnLoss(Value[] outputs) =>
        outputs.FirstOrDefault()?.Shape?.Rank == 0
            ? outputs.LastOrDefault(static o => o.Shape?.Rank == 3 && o.Type.IsFloating())
            : null;
}
