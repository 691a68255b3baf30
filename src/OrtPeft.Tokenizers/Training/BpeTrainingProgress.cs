namespace OrtPeft.Tokenizers.Training;

/// <summary>How far a training run is: first all texts are read, then the tokens are learned.</summary>
/// <param name="TextsRead">Texts counted so far; all of them once <paramref name="TokensLearned"/> rises.</param>
/// <param name="TokensLearned">Tokens so far, the 256 bytes included, special tokens not.</param>
/// <param name="TokensWanted">The value of <paramref name="TokensLearned"/> at which the vocabulary is full.</param>
public readonly record struct BpeTrainingProgress(long TextsRead, int TokensLearned, int TokensWanted);
