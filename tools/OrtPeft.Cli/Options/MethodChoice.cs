using OrtPeft.Adapters;
using OrtPeft.Cli.Errors;
using OrtPeft.Models;
using OrtPeft.Onnx;
using OrtPeft.Tokenizers;
using OrtPeft.Training;
using OrtPeft.Training.Data;

namespace OrtPeft.Cli.Options;

/// <summary>The method that the user chose.</summary>
/// <param name="Origin">Where the configuration came from, for messages: a file, or options.</param>
/// <param name="Config">Its configuration.</param>
/// <param name="WeightsFolder">The adapter to start from, or null for fresh weights.</param>
internal sealed record MethodChoice(string Origin, PeftConfig Config, string? WeightsFolder)
{
    /// <summary>Takes what a configuration names and the base does not have where that is allowed: in an adapter's own
    /// file. Null (default) where it is an error: in what the user gave to say what to train.</summary>
    public Action<IReadOnlyList<string>>? WarnOfUnmatched { get; init; }

    /// <summary>Takes an adapter that was loaded, to say which weights of its base it brings along.</summary>
    public Action<PeftModel>? WarnOfBase { get; init; }

    /// <summary>The name of a start that is made from rows, such as <c>eva</c>; null for any other.</summary>
    public string? RowStart => Needs.RowStart;

    private StartNeeds Needs => WeightsFolder is null ? PeftMethods.Of(Config).NeedsOf(Config) : StartNeeds.None;

    /// <summary>Puts the adapter on a base.</summary>
    public PeftModel Apply(Model baseModel, long seed)
    {
        if (WeightsFolder is null)
            return Blame.On(Origin, () => PeftModel.Create(baseModel, Config, seed));
        var weights = AdapterFolder.LoadWeights(WeightsFolder);
        var source = Path.Combine(WeightsFolder, AdapterFolder.WeightsFile);
        return WarnOfUnmatched is { } warn
            ? Blame.On(WeightsFolder, () => Loaded(warn))
            : Blame.On(Origin, () => Loaded(static unmatched => Refuse(unmatched)), source);

        PeftModel Loaded(Action<IReadOnlyList<string>> take)
        {
            var loaded = PeftModel.Create(baseModel, Config, weights, source, seed: seed);
            take(loaded.Adapters.UnmatchedOf(PeftModel.DefaultName));
            WarnOfBase?.Invoke(loaded);
            return loaded;
        }
    }

    private static void Refuse(IReadOnlyList<string> unmatched)
    {
        if (unmatched.Count > 0)
            throw new ConfigException($"{string.Join("; ", unmatched)}.");
    }

    /// <summary>The same choice, where a prompt that starts as text knows the text's tokens.</summary>
    /// <param name="tokenizer">The tokenizer, or null when there is none.</param>
    /// <param name="folder">Where its files are, or were looked for.</param>
    /// <exception cref="UsageException">There is a text, and no tokenizer.</exception>
    public MethodChoice WithTokens(ITokenizer? tokenizer, string folder)
    {
        if (Needs.Text is not { } text)
            return this;
        if (tokenizer is null)
        {
            throw new UsageException(
                $"{Origin}: the prompt is to start as '{text}', and {folder} holds no tokenizer to make tokens of it; "
                + "name its folder with --tokenizer.");
        }

        return this with { Config = PeftMethods.Of(Config).WithTokens(Config, tokenizer.Encode(text), folder) };
    }

    /// <summary>Puts the adapter on a base that is to be trained; it may start from the rows.</summary>
    public PeftModel Apply(
        Model baseModel,
        TrainingArguments arguments,
        Func<IReadOnlyList<Example>> rows,
        CancellationToken cancellation) => WeightsFolder is not null
        ? Apply(baseModel, arguments.Seed)
        : Blame.On(Origin, () => AdapterStart.Create(
            baseModel, Config, () => new TokenDataset(rows()), arguments, cancellation));

    /// <summary>
    /// The same choice, with the base's name in the configuration; an adapter that is trained further keeps the name
    /// that it has.
    /// </summary>
    /// <param name="source">The base.</param>
    /// <param name="id">The name that the user gave for it, which goes before all others; null for none.</param>
    public MethodChoice For(ModelSource source, string? id = null)
    {
        var own = id ?? (WeightsFolder is null ? null : Config.BaseModelNameOrPath);
        return this with { Config = Config with { BaseModelNameOrPath = own ?? source.HfName } };
    }
}
