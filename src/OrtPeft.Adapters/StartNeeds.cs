namespace OrtPeft.Adapters;

/// <summary>The inputs, besides the base, from which an adapter's first weights are made.</summary>
public sealed record StartNeeds
{
    /// <summary>Nothing.</summary>
    public static StartNeeds None { get; } = new();

    /// <summary>A text whose tokens are needed; see <see cref="IPeftMethod.WithTokens"/>. Null (default) for
    /// none.</summary>
    public string? Text { get; init; }

    /// <summary>The name of the start that is made from rows of data, such as <c>eva</c>; null (default) for
    /// none.</summary>
    public string? RowStart { get; init; }
}
