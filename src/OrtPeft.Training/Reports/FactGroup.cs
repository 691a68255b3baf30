namespace OrtPeft.Training.Reports;

/// <summary>Facts of a run that belong together.</summary>
/// <param name="Title">What they are about.</param>
/// <param name="Facts">Names and values, as people read them.</param>
public sealed record FactGroup(string Title, IReadOnlyList<KeyValuePair<string, string>> Facts);
