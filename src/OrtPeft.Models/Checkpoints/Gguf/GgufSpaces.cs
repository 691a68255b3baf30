using System.Text.Json.Nodes;

namespace OrtPeft.Models.Checkpoints.Gguf;

/// <summary>
/// How a tokenizer of SentencePiece's pieces turns spaces into visible ones, against llama.cpp: that puts one before each text,
/// where it is told to, and cuts texts at special tokens alone.
/// </summary>
/// <param name="HasPrefix">Whether llama.cpp is told to put a space before texts.</param>
/// <param name="Note">The texts that llama.cpp then reads otherwise; null where there are none.</param>
internal readonly record struct GgufSpaces(bool HasPrefix, string? Note)
{
    private const string Space = "▁";

    /// <summary>Reads a <c>tokenizer.json</c>.</summary>
    /// <param name="json">The file, whose model falls back on bytes.</param>
    /// <param name="refuse">Makes the error of what llama.cpp cannot be told, from the reason.</param>
    public static GgufSpaces Of(JsonObject json, Func<string, Exception> refuse)
    {
        var (isPrepended, isReplaced) = (false, false);
        foreach (var step in GgufVocabulary.Steps(json["normalizer"]))
        {
            var isKnown = (string?)step["type"] switch
            {
                "NFC" => true,
                "Prepend" => isPrepended = (string?)step["prepend"] == Space,
                "Replace" => isReplaced = IsOfSpaces(step) && (string?)step["content"] == Space,
                _ => false,
            };
            if (!isKnown)
                throw refuse($"its normalizer has a step {step.ToJsonString()}, which llama.cpp does not take");
        }

        JsonObject? metaspace = null;
        foreach (var step in GgufVocabulary.Steps(json["pre_tokenizer"]))
        {
            var isKnown = (string?)step["type"] switch
            {
                "Metaspace" => (metaspace = step) is not null && (string?)step["replacement"] == Space,
                // There are no spaces any more to split at.
                "Split" => isReplaced && IsOfSpaces(step),
                _ => false,
            };
            if (!isKnown)
                throw refuse($"its pre_tokenizer has a step {step.ToJsonString()}, which llama.cpp does not take");
        }

        if (!isReplaced && metaspace is null)
            throw refuse($"nothing in it writes spaces as {Space}, and llama.cpp does");
        var scheme = metaspace is null ? "never" : SchemeOf(metaspace);
        var notes = new List<string>();
        if (scheme != "never" && !isPrepended)
            notes.Add("llama.cpp puts a space before texts that begin with one, and this tokenizer does not");
        if (scheme == "first" && !isPrepended)
            notes.Add("llama.cpp puts a space before what follows a special token, and this tokenizer does not");
        if (metaspace is not null && (bool?)metaspace["split"] != false && HasInnerSpace(json))
            notes.Add("llama.cpp joins spaces with what stands before them, and this tokenizer does not");
        return new GgufSpaces(isPrepended || scheme != "never", notes.Count == 0 ? null : string.Join("; ", notes));
    }

    private static bool IsOfSpaces(JsonObject step) => (string?)step["pattern"]?["String"] == " ";

    /// <summary>Old files say <c>add_prefix_space</c>.</summary>
    private static string SchemeOf(JsonObject metaspace) =>
        (string?)metaspace["prepend_scheme"] ?? ((bool?)metaspace["add_prefix_space"] == false ? "never" : "always");

    private static bool HasInnerSpace(JsonObject json) =>
        json["model"]!["vocab"]!.AsObject().Any(static t => t.Key.LastIndexOf(Space, StringComparison.Ordinal) > 0);
}
