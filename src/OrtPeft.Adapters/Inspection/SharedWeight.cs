namespace OrtPeft.Adapters.Inspection;

/// <summary>Weights that are one, or were one.</summary>
/// <param name="Kind">
/// <see cref="Tied"/>, <see cref="ReadTwice"/>, <see cref="StoredOnce"/> or <see cref="Copied"/>.
/// </param>
/// <param name="Names">The parameters' names; for <see cref="ReadTwice"/> the weight and then its readers.</param>
public sealed record SharedWeight(string Kind, IReadOnlyList<string> Names)
{
    /// <summary>The head multiplies by the token embedding itself: one parameter, which trains as one.</summary>
    public const string Tied = "tied";

    /// <summary>Several nodes read one constant: it trains as one parameter.</summary>
    public const string ReadTwice = "read by several";

    /// <summary>Parameters of equal value that the file stores once; each trains on its own.</summary>
    public const string StoredOnce = "stored once";

    /// <summary>The head has a copy of the token embedding; full fine-tuning trains both, apart.</summary>
    public const string Copied = "copied";
}
