using System.Collections.Frozen;
using OrtPeft.Tokenizers.Json;
using OrtPeft.Tokenizers.Patterns;
using OrtPeft.Tokenizers.PreTokenizers;

namespace OrtPeft.Tokenizers.Decoders;

/// <summary>The decoders of <c>tokenizer.json</c>: a row each.</summary>
internal static class TokenDecoderReader
{
    private static readonly FrozenDictionary<string, Func<JsonField, TokenDecoder>> Rows =
        new Dictionary<string, Func<JsonField, TokenDecoder>>
        {
            ["BPEDecoder"] = static field => TokenDecoders.WordEnds(field.Get("suffix").AsString()),
            ["ByteFallback"] = static _ => TokenDecoders.ByteFallback,
            ["ByteLevel"] = static _ => TokenDecoders.ByteLevel,
            ["Fuse"] = static _ => TokenDecoders.Fuse,
            ["Metaspace"] = static field => MetaspaceReader.Read(field).Decode,
            ["Replace"] = static field => TokenDecoders.Replace(
                TextPatternReader.Read(field.Get("pattern")), field.Get("content").AsString()),
            ["Sequence"] = static field => Chain([.. field.Get("decoders").Items().Select(Read)]),
            ["Strip"] = static field => TokenDecoders.Strip(
                field.Get("content").AsCharacter(), field.Get("start").AsCount(), field.Get("stop").AsCount()),
            ["WordPiece"] = static field => TokenDecoders.WordPiece(
                field.Get("prefix").AsString(), field.Get("cleanup").AsBoolean()),
        }.ToFrozenDictionary();

    /// <exception cref="TokenizerFormatException">The component is not known, or a field of it is wrong.</exception>
    public static TokenDecoder Read(JsonField field) => field.Component(Rows, "decoder")(field);

    private static TokenDecoder Chain(TokenDecoder[] parts) =>
        tokens => parts.Aggregate(tokens, static (current, part) => part(current));
}
