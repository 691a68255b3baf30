namespace OrtPeft.Onnx.Passes;

/// <summary>
/// Turns inputs with a default into constants. Files of IR version 3 list every weight as an input; as long as a caller
/// could feed them they are not weights to adapt.
/// </summary>
internal static class InputDefaults
{
    /// <summary>Runs the pass in place; the defaults can no longer be overridden.</summary>
    /// <param name="model">The model.</param>
    public static void Run(Model model)
    {
        ArgumentNullException.ThrowIfNull(model);
        foreach (var value in model.Graph.Inputs.Where(static i => i.Initializer is not null).ToArray())
            model.Graph.TurnIntoConstant(value);
    }
}
