namespace OrtPeft.Serving;

/// <summary>A request names a model or an adapter that is not there.</summary>
/// <param name="name">The name.</param>
/// <param name="known">The names that are there.</param>
public sealed class UnknownModelException(string name, IEnumerable<string> known)
    : Exception($"There is no model '{name}'; there are {string.Join(", ", known)}.")
{
    /// <summary>The name that was asked for.</summary>
    public string Name => name;
}
