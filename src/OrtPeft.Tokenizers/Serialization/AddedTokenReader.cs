using OrtPeft.Tokenizers.Json;

namespace OrtPeft.Tokenizers.Serialization;

/// <summary>Reads one added token as <c>tokenizer.json</c> and <c>tokenizer_config.json</c> write it.</summary>
internal static class AddedTokenReader
{
    public static AddedToken Read(JsonField field, int id) => new()
    {
        Content = field.Get("content").AsString(),
        Id = id,
        IsSpecial = Flag(field, "special"),
        IsSingleWord = Flag(field, "single_word"),
        StripsLeft = Flag(field, "lstrip"),
        StripsRight = Flag(field, "rstrip"),
        IsNormalized = Flag(field, "normalized"),
    };

    private static bool Flag(JsonField field, string name) => field.Find(name)?.AsBoolean() ?? false;
}
