namespace OrtPeft.Models.Exports;

/// <summary>Settings of a GGUF file beyond what an HF folder's files tell.</summary>
public sealed record GgufOptions
{
    /// <summary>How matrices are held, one of <see cref="GgufExport.Types"/>; vectors are float32. Default f16.</summary>
    public string Type { get; init; } = "f16";

    /// <summary>The model's name. Default <c>model</c>.</summary>
    public string Name { get; init; } = "model";

    /// <summary>The chat template, or null (default) for none.</summary>
    public string? ChatTemplate { get; init; }

    /// <summary>The token that the tokenizer puts before texts; null (default) where it puts none.</summary>
    public int? BeginOfText { get; init; }

    /// <summary>The token that ends texts by the tokenizer; null (default) takes the description's.</summary>
    public int? EndOfText { get; init; }
}
