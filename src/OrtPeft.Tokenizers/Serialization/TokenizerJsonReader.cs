using OrtPeft.Tokenizers.Decoders;
using OrtPeft.Tokenizers.Json;
using OrtPeft.Tokenizers.Models;
using OrtPeft.Tokenizers.Normalizers;
using OrtPeft.Tokenizers.PostProcessors;
using OrtPeft.Tokenizers.PreTokenizers;

namespace OrtPeft.Tokenizers.Serialization;

/// <summary>
/// Reads <c>tokenizer.json</c> of the Hugging Face tokenizers library. Components that are not known are refused by name;
/// truncation and padding do not concern plain encoding.
/// </summary>
internal static class TokenizerJsonReader
{
    public static ITokenizer Read(string file, TokenizerConfig config) => TextFile.ReadJson<ITokenizer>(file, root =>
        ByteLevelJsonReader.Fits(root) ? ByteLevelJsonReader.Read(root, config) : ReadPipeline(root, config));

    private static PipelineTokenizer ReadPipeline(JsonField root, TokenizerConfig config)
    {
        var modelField = root.Get("model");
        var added = new AddedTokenList();
        var model = ModelReader.Read(modelField, root.Find("added_tokens"));
        foreach (var field in root.Find("added_tokens")?.Items() ?? [])
            added.Add(AddedTokenReader.Read(field, field.Get("id").AsInt32()), model, field.Place);

        int? Find(string token) => added.Find(token) ?? model.Find(token);
        var frame = root.Find("post_processor") is { } processor
            ? TextFrameReader.Read(processor, Find)
            : TextFrame.None;
        return new PipelineTokenizer(new Tokenization
        {
            AddedTokens = added.InIdOrder(),
            Normalizer = root.Find("normalizer") is { } normalizer ? NormalizerReader.Read(normalizer) : null,
            Splitter = root.Find("pre_tokenizer") is { } splitter ? PieceSplitterReader.Read(splitter) : null,
            Model = model,
            Decoder = root.Find("decoder") is { } decoder ? TokenDecoderReader.Read(decoder) : TokenDecoders.Apart,
            Frame = frame,
            EndOfTextId = config.FindEndOfText(Find, frame),
        });
    }
}
