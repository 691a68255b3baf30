namespace OrtPeft.Training.Data;

/// <summary>How rows with too many tokens are handled.</summary>
public enum OverlongRows
{
    /// <summary>Their end is cut off.</summary>
    Cut,

    /// <summary>Their start is cut off: the last tokens stay.</summary>
    CutStart,

    /// <summary>They are left out.</summary>
    Drop,

    /// <summary>They become several rows, each with no sight of those before it.</summary>
    Split,

    /// <summary>They are an error.</summary>
    Error,
}
