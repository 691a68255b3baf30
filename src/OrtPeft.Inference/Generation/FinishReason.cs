namespace OrtPeft.Inference.Generation;

/// <summary>Why a generation ended.</summary>
public enum FinishReason
{
    /// <summary>The model chose a token that ends the text, which is not handed out.</summary>
    EndOfText,

    /// <summary><see cref="GenerationOptions.MaxNewTokens"/> tokens were generated.</summary>
    Length,

    /// <summary>The sequence no longer fits in <see cref="GenerationOptions.ContextLength"/> tokens.</summary>
    Context,
}
