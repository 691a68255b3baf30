namespace OrtPeft.Tokenizers.Serialization;

/// <summary>Reads the older pair, <c>vocab.json</c> with <c>merges.txt</c>, and what stands beside them.</summary>
internal static class VocabularyFilesReader
{
    public static BpeModel Read(string vocabularyFile, string mergesFile, TokenizerConfig config)
    {
        var builder = new BpeModelBuilder();
        TextFile.ReadJson(vocabularyFile, root =>
        {
            VocabularyReader.Read(root, builder);
            return true;
        });
        MergesFileReader.Read(mergesFile, builder);
        foreach (var (token, place) in config.AddedTokens)
            builder.AddAddedToken(token, place);
        if (config.AddedTokens.Count == 0)
            ReadAddedTokens(Path.Combine(Path.GetDirectoryName(vocabularyFile) ?? "", FileNames.AddedTokens), builder);
        var endOfText = config.FindEndOfText(builder.Find);
        MarkSpecial(config, builder);
        return builder.Build(SettingsOf(config), endOfText);
    }

    /// <summary>The two files say nothing of words; the class of the tokenizer beside them does.</summary>
    private static BpeSettings SettingsOf(TokenizerConfig config)
    {
        var isQwen2 = config.TokenizerClass is "Qwen2Tokenizer" or "Qwen2TokenizerFast";
        return new BpeSettings
        {
            AddsPrefixSpace = config.AddsPrefixSpace,
            Pattern = isQwen2 ? WordPattern.Qwen2 : WordPattern.Gpt2,
            Composes = isQwen2,
        };
    }

    /// <summary>Token → id, as old versions of the transformers library kept tokens beyond the vocabulary.</summary>
    private static void ReadAddedTokens(string file, BpeModelBuilder builder)
    {
        if (!File.Exists(file))
            return;
        TextFile.ReadJson(file, root =>
        {
            foreach (var (content, id) in root.Members())
            {
                var token = new AddedToken { Content = content, Id = id.AsInt32(), IsNormalized = true };
                builder.AddAddedToken(token, id.Place);
            }

            return true;
        });
    }

    /// <summary>A vocabulary token with a role is searched for literally, listed as added or not.</summary>
    private static void MarkSpecial(TokenizerConfig config, BpeModelBuilder builder)
    {
        var named = config.RoleTokens.Select(static role => role.Content);
        foreach (var content in named.Append(FileNames.Gpt2EndOfText).Distinct(StringComparer.Ordinal))
        {
            if (builder.Find(content) is not { } id || builder.HasAddedToken(content))
                continue;
            var token = new AddedToken { Content = content, Id = id, IsSpecial = true };
            builder.AddAddedToken(token, new SourcePlace(FileNames.Config, content));
        }
    }
}
