namespace OrtPeft.Serving.Engine;

/// <summary>A token of an answer.</summary>
/// <param name="Id">The token.</param>
/// <param name="LogProbability">ln of its probability before temperature and limits; null where it was not asked
/// for.</param>
/// <param name="Likeliest">The likeliest tokens with the same of theirs, the likeliest first; as many as were asked
/// for.</param>
internal readonly record struct EngineToken(
    int Id, double? LogProbability, IReadOnlyList<(int Id, double LogProbability)> Likeliest);
