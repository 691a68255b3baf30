namespace OrtPeft.Tokenizers.Training;

/// <summary>Learns a byte-level BPE from texts.</summary>
/// <seealso href="https://arxiv.org/abs/1508.07909">Sennrich, Haddow, Birch (2016), algorithm 1</seealso>
public static class BpeTrainer
{
    private const int ByteCount = 256;
    private const int TextsPerReport = 10_000;
    private const int TokensPerReport = 100;

    /// <summary>
    /// Starts from the 256 bytes and merges the most frequent pair of neighbours, inside words of GPT-2's pattern,
    /// until the vocabulary is full. Equal counts go to the pair whose left bytes, then right bytes, sort first, so
    /// the same texts give the same tokenizer, in any order. Ids: bytes in GPT-2's order, merges, special tokens.
    /// </summary>
    /// <param name="texts">Read once, one at a time; memory grows with the number of different words only.</param>
    /// <param name="options">Vocabulary size, special tokens, minimum frequency.</param>
    /// <param name="progress">Told every 10,000 texts, every 100 tokens, and at the end.</param>
    /// <param name="cancellationToken">Looked at for each text and each merge.</param>
    /// <exception cref="ArgumentException">
    /// The vocabulary is smaller than the bytes and special tokens, or a special token is empty, one byte or double.
    /// </exception>
    public static ByteLevelBpe Train(
        IEnumerable<string> texts,
        BpeTrainerOptions options,
        IProgress<BpeTrainingProgress>? progress = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(texts);
        ArgumentNullException.ThrowIfNull(options);
        Check(options);

        var wanted = options.VocabularySize - options.SpecialTokens.Count;
        var counter = new WordCounter(options.SpecialTokens);
        foreach (var text in texts)
        {
            cancellationToken.ThrowIfCancellationRequested();
            counter.Add(text);
            if (counter.TextCount % TextsPerReport == 0)
                progress?.Report(new BpeTrainingProgress(counter.TextCount, ByteCount, wanted));
        }

        var learner = new MergeLearner(counter.Words, options);
        while (learner.TokenCount < wanted && learner.TryMergeNext())
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (learner.TokenCount % TokensPerReport == 0)
                progress?.Report(new BpeTrainingProgress(counter.TextCount, learner.TokenCount, wanted));
        }

        progress?.Report(new BpeTrainingProgress(counter.TextCount, learner.TokenCount, wanted));
        return new ByteLevelBpe(Build(learner, options.SpecialTokens));
    }

    private static BpeModel Build(MergeLearner learner, IReadOnlyList<string> specialTokens)
    {
        var place = new SourcePlace("trained vocabulary", "tokens");
        var builder = new BpeModelBuilder();
        for (var id = 0; id < learner.TokenCount; id++)
            builder.AddToken(learner.SpellingOf(id), id, place);
        foreach (var (left, right) in learner.Merges)
            builder.AddMerge(learner.SpellingOf(left), learner.SpellingOf(right), place);

        var next = learner.TokenCount;
        foreach (var content in specialTokens)
        {
            builder.AddToken(content, next, place);
            builder.AddAddedToken(new AddedToken { Content = content, Id = next, IsSpecial = true }, place);
            next++;
        }

        var endOfText = specialTokens.Count == 0 ? null : builder.Find(specialTokens[0]);
        return builder.Build(new BpeSettings(), endOfText);
    }

    private static void Check(BpeTrainerOptions options)
    {
        var least = ByteCount + options.SpecialTokens.Count;
        if (options.VocabularySize < least || options.VocabularySize > BpeModelBuilder.IdLimit)
        {
            var message = $"VocabularySize is {options.VocabularySize}; the bytes and the special tokens need "
                + $"{least}, and {BpeModelBuilder.IdLimit} is the limit.";
            throw new ArgumentException(message, nameof(options));
        }

        if (options.MinimumFrequency < 1)
        {
            var message = $"MinimumFrequency is {options.MinimumFrequency}; a pair occurs at least once.";
            throw new ArgumentException(message, nameof(options));
        }

        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var content in options.SpecialTokens)
        {
            var isByte = content.Length == 1 && ByteAlphabet.Read(content) is not null;
            if (content.Length == 0 || isByte || !seen.Add(content))
            {
                var shown = TokenizerFormatException.Quote(content);
                var message = $"Special token {shown} is empty, the spelling of a byte, or listed twice.";
                throw new ArgumentException(message, nameof(options));
            }
        }
    }
}
