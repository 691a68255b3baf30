using OrtPeft.Adapters;
using OrtPeft.Onnx;

namespace OrtPeft.Compilation.OrtTraining;

/// <summary>
/// The training API tells the kinds of inputs by their names; what users feed must not look like its own.
/// </summary>
internal static class ReservedNames
{
    private static readonly string[] Endings = ["_grad", "_grad.accumulation.buffer", "_grad.accumulation.out"];

    public static void Refuse(IEnumerable<Value> userInputs)
    {
        foreach (var name in userInputs.Select(static i => i.Name))
        {
            if (name == LossModels.ResetFlag || Endings.Any(e => name.EndsWith(e, StringComparison.Ordinal)))
                throw new ConfigException(
                    $"The model's input '{name}' has a name that ONNX Runtime's training API takes for a gradient; " +
                    "rename it, or make artifacts for the runtime 'ort'.");
        }
    }
}
