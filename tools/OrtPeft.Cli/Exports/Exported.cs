using System.Text.Json.Nodes;

namespace OrtPeft.Cli.Exports;

/// <summary>The result of an export.</summary>
/// <param name="Lines">What was written and how it was proved, for people; the first continues <c>Wrote DIR: </c>.</param>
/// <param name="Facts">The same for programs.</param>
internal sealed record Exported(IReadOnlyList<string> Lines, JsonObject Facts);
