using System.Collections.Immutable;
using OrtPeft.Onnx.Decoders;

namespace OrtPeft.Training.Data.Forms;

/// <summary>The names that rows are read by; own names are mapped to these.</summary>
public static class RowField
{
    /// <summary>Fields of a row.</summary>
    internal static readonly ImmutableArray<string> OfRows =
    [
        "text", "prompt", "completion", "messages", "conversations", "instruction", "input", "output", "question",
        "answer", "system", "history", "tools", "documents", "chat_template_kwargs", DecoderNames.Ids,
        DecoderNames.Labels, DecoderNames.Mask, DecoderNames.Positions,
    ];

    /// <summary>Fields of a turn.</summary>
    internal static readonly ImmutableArray<string> OfTurns = ["role", "content"];

    /// <summary>The names that a role may have.</summary>
    internal static readonly ImmutableArray<string> Roles = ["assistant", "user", "system", "developer", "tool"];

    /// <summary>All names that others can be mapped to: fields of rows and turns, and roles.</summary>
    public static IReadOnlyList<string> All { get; } = [.. OfRows, .. OfTurns, .. Roles];
}
