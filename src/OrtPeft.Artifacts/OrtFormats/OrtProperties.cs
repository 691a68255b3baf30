namespace OrtPeft.Artifacts.OrtFormats;

/// <summary>
/// The user's own values in a checkpoint, such as the epoch or the best loss. A name stands for one value, whatever its
/// type.
/// </summary>
public sealed class OrtProperties
{
    /// <summary>The whole numbers by name.</summary>
    public IReadOnlyDictionary<string, long> Integers { get; init; } = new Dictionary<string, long>();

    /// <summary>The float32 numbers by name.</summary>
    public IReadOnlyDictionary<string, float> Floats { get; init; } = new Dictionary<string, float>();

    /// <summary>The texts by name.</summary>
    public IReadOnlyDictionary<string, string> Strings { get; init; } = new Dictionary<string, string>();

    internal IEnumerable<string> Names => Integers.Keys.Concat(Floats.Keys).Concat(Strings.Keys);
}
