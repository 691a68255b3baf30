namespace OrtPeft.Tokenizers.Serialization;

/// <summary>
/// Finds the tokens that a post-processor puts before and behind a single text: Llama 3's template has one before it,
/// RoBERTa's and BERT's have one on either side.
/// </summary>
internal static class PostProcessorReader
{
    private static readonly (int? Start, int? End) None = (null, null);

    public static (int? Start, int? End) Read(JsonField? postProcessor, BpeModelBuilder builder)
    {
        if (postProcessor is not { } field)
            return None;
        return field.Get("type").AsString() switch
        {
            "Sequence" => field.Get("processors").Items().Select(p => Read(p, builder))
                .Aggregate(None, static (all, one) => (all.Start ?? one.Start, all.End ?? one.End)),
            "TemplateProcessing" => OfTemplate(field, builder),
            "RobertaProcessing" or "BertProcessing" => (OfPair(field, "cls", builder), OfPair(field, "sep", builder)),
            _ => None,
        };
    }

    private static (int? Start, int? End) OfTemplate(JsonField template, BpeModelBuilder builder)
    {
        JsonField single = template.Get("single");
        JsonField[] pieces = [.. single.Items()];
        int text = Array.FindIndex(pieces, static p => p.Find("Sequence") is not null);
        if (text < 0)
            return None;
        return (One(pieces[..text]), One(pieces[(text + 1)..]));

        int? One(JsonField[] around) => around switch
        {
            [] => null,
            [var piece] when piece.Find("SpecialToken") is { } token => Find(token.Get("id"), builder),
            _ => throw single.Place.Error("only one token before a text and one behind it are supported"),
        };
    }

    /// <summary>A token with its id, as <c>["&lt;/s&gt;", 2]</c>.</summary>
    private static int OfPair(JsonField processor, string name, BpeModelBuilder builder) =>
        processor.Get(name).Items().ToArray() is [var token, _]
            ? Find(token, builder)
            : throw processor.Place.Error($"\"{name}\" must be a token and its id");

    private static int Find(JsonField name, BpeModelBuilder builder) =>
        builder.Find(name.AsString())
            ?? throw name.Place.Error($"{name.Shown()} is not in the vocabulary; name one of its tokens");
}
