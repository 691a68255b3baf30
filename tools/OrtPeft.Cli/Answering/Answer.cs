using System.Text.Json.Nodes;
using OrtPeft.Inference.Generation;

namespace OrtPeft.Cli.Answering;

/// <summary>A model's answer to a prompt.</summary>
/// <param name="Prompt">What it continued, as it saw it.</param>
/// <param name="Text">What came.</param>
/// <param name="Tokens">How many tokens were generated.</param>
/// <param name="FinishReason">Why it ended; null where a stop text ended it, or the user did.</param>
/// <param name="Seconds">How long it took.</param>
/// <param name="Seed">What repeats it.</param>
internal sealed record Answer(
    string Prompt, string Text, int Tokens, FinishReason? FinishReason, double Seconds, long Seed)
{
    /// <summary>The fields that each answer to a prompt has of its own.</summary>
    public JsonObject ToJson() => new()
    {
        ["text"] = Text,
        ["tokens"] = Tokens,
        ["finish_reason"] = Word(FinishReason),
        ["tokens_per_second"] = Seconds > 0 ? Tokens / Seconds : null,
        ["seed"] = Seed,
    };

    private static string Word(FinishReason? reason) => reason switch
    {
        null => "stop",
        Inference.Generation.FinishReason.EndOfText => "end_of_text",
        Inference.Generation.FinishReason.Length => "length",
        Inference.Generation.FinishReason.Context => "context",
        _ => throw new System.Diagnostics.UnreachableException($"Bug: no word for {reason}."),
    };
}
