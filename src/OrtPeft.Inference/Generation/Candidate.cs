namespace OrtPeft.Inference.Generation;

/// <summary>A token that may come next.</summary>
/// <param name="Id">The token.</param>
/// <param name="Weight">Its probability but for a factor that all candidates share; the likeliest token's is 1.</param>
internal readonly record struct Candidate(int Id, double Weight);
