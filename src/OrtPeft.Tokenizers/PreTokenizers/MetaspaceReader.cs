using OrtPeft.Tokenizers.Json;

namespace OrtPeft.Tokenizers.PreTokenizers;

/// <summary>Reads Metaspace, which is a pre-tokenizer and a decoder.</summary>
internal static class MetaspaceReader
{
    public static Metaspace Read(JsonField field) => new()
    {
        Replacement = field.Get("replacement").AsCharacter(),
        Prepend = ReadScheme(field),
        Splits = field.Find("split")?.AsBoolean() ?? true,
    };

    /// <summary>Old files say <c>add_prefix_space</c>; where both stand, they must agree.</summary>
    private static PrependScheme ReadScheme(JsonField field)
    {
        PrependScheme? scheme = field.Find("prepend_scheme") is { } given ? ReadName(given) : null;
        if (field.Find("add_prefix_space") is not { } adds || adds.AsBoolean())
            return scheme ?? PrependScheme.Always;
        return scheme is null or PrependScheme.Never
            ? PrependScheme.Never
            : throw adds.Place.Error("add_prefix_space is false and prepend_scheme is not never; keep one of the fields");
    }

    private static PrependScheme ReadName(JsonField field) => field.AsString() switch
    {
        "always" => PrependScheme.Always,
        "first" => PrependScheme.First,
        "never" => PrependScheme.Never,
        _ => throw field.Place.Error($"{field.Shown()} is not a scheme; give one of always, first, never"),
    };
}
