namespace OrtPeft.Tokenizers.Serialization;

/// <summary>Finds the token that a post-processor puts before a single text, as Llama 3's template does.</summary>
internal static class PostProcessorReader
{
    public static int? FindStart(JsonField? postProcessor, BpeModelBuilder builder)
    {
        if (postProcessor is not { } field)
            return null;
        return field.Get("type").AsString() switch
        {
            "Sequence" => field.Get("processors").Items().Select(p => FindStart(p, builder))
                .FirstOrDefault(static id => id is not null),
            "TemplateProcessing" => OfTemplate(field, builder),
            _ => null,
        };
    }

    private static int? OfTemplate(JsonField template, BpeModelBuilder builder)
    {
        JsonField[] pieces = [.. template.Get("single").Items()];
        bool isStart = pieces.Length > 1 && pieces[1].Find("Sequence") is not null;
        if (!isStart || pieces[0].Find("SpecialToken") is not { } token)
            return null;
        JsonField name = token.Get("id");
        return builder.Find(name.AsString())
            ?? throw name.Place.Error($"{name.Shown()} is not in the vocabulary; name one of its tokens");
    }
}
