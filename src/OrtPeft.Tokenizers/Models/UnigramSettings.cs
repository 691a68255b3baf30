namespace OrtPeft.Tokenizers.Models;

/// <summary>Settings of a <see cref="UnigramModel"/> beside its vocabulary.</summary>
internal sealed record UnigramSettings
{
    public int? Unknown { get; init; }

    public bool FallsBackToBytes { get; init; }

    /// <summary>The lowest score, from which that of unknown characters is taken.</summary>
    public required double LowestScore { get; init; }

    /// <summary>Whether sums are kept in single precision, as SentencePiece does; Hugging Face's library does not.</summary>
    public bool IsSingle { get; init; }
}
