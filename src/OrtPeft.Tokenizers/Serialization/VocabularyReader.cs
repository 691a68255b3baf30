using OrtPeft.Tokenizers.Json;

namespace OrtPeft.Tokenizers.Serialization;

/// <summary>Reads the object of token → id that <c>tokenizer.json</c> and <c>vocab.json</c> have in common.</summary>
internal static class VocabularyReader
{
    public static void Read(JsonField vocabulary, BpeModelBuilder builder)
    {
        foreach (var (token, id) in vocabulary.Members())
            builder.AddToken(token, id.AsInt32(), id.Place);
        if (builder.IsEmpty)
            throw vocabulary.Place.Error("the vocabulary is empty; restore the file");
    }
}
