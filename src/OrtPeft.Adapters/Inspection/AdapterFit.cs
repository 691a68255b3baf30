using OrtPeft.Adapters.Several;
using OrtPeft.Onnx;

namespace OrtPeft.Adapters.Inspection;

/// <summary>Whether an adapter fits a base: by its names and shapes, with every tensor used and every number
/// finite.</summary>
/// <param name="Faults">Why it does not, a sentence each; none where it fits.</param>
/// <param name="Unmatched">What its configuration names and the base does not have, a clause each. It changes nothing, as
/// in HF PEFT, and is no fault.</param>
public sealed record AdapterFit(IReadOnlyList<string> Faults, IReadOnlyList<string> Unmatched)
{
    /// <summary>Puts an adapter on a base and finds all that is in the way.</summary>
    /// <param name="adapter">The adapter.</param>
    /// <param name="baseModel">The base; not changed.</param>
    /// <returns>The findings.</returns>
    /// <exception cref="UnsupportedOpException">The base cannot be brought into canonical form.</exception>
    public static AdapterFit Of(StoredAdapter adapter, Model baseModel)
    {
        ArgumentNullException.ThrowIfNull(adapter);
        ArgumentNullException.ThrowIfNull(baseModel);
        var numbers = adapter.Tensors.Select(static t => TensorStatistics.Of(t.Key, t.Value).Fault).OfType<string>();
        var canonical = BaseModel.Of(baseModel).Canonical;
        try
        {
            var (faults, unmatched) = Adapter.Examine(canonical, adapter.Config, adapter.Tensors, adapter.Folder);
            return new AdapterFit([.. faults, .. numbers], unmatched);
        }
        catch (ConfigException e)
        {
            return new AdapterFit([WithoutFolder(e.Message, adapter.Folder), .. numbers], []);
        }
    }

    private static string WithoutFolder(string message, string folder) =>
        message.StartsWith($"{folder}: ", StringComparison.Ordinal) ? message[(folder.Length + 2)..] : message;
}
