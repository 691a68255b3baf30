using System.Diagnostics;
using Microsoft.ML.OnnxRuntime;
using OrtPeft.Adapters;
using OrtPeft.Inference.Generation;
using OrtPeft.Onnx;
using OrtPeft.Tensors;
using OrtPeft.Training;
using OrtPeft.Training.Data;

namespace OrtPeft.Cli.Bench;

/// <summary>
/// Times evaluation and generation of a model plain, with an adapter beside its layers, and with the adapter merged,
/// with the classes that evaluate and generate otherwise too. The variants run in turn, round after round.
/// </summary>
internal static class InferenceBenchmark
{
    /// <summary>Measures.</summary>
    /// <param name="baseModel">The model without the adapter.</param>
    /// <param name="adapted">The same with the adapter; its weights do not matter.</param>
    /// <param name="options">What to run.</param>
    /// <param name="cancellation">Stops after the run under way.</param>
    /// <returns>The figures. The variants' sessions are open together; the merged weights lie in a temporary folder
    /// meanwhile.</returns>
    /// <exception cref="ArgumentException">An option is out of its range.</exception>
    /// <exception cref="GraphException">The model cannot be evaluated or generate.</exception>
    /// <exception cref="OperationCanceledException">It was stopped.</exception>
    public static InferenceBenchmarkResult Run(
        Model baseModel,
        PeftModel adapted,
        InferenceBenchmarkOptions options,
        CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(baseModel);
        ArgumentNullException.ThrowIfNull(adapted);
        ArgumentNullException.ThrowIfNull(options);
        Check(options);
        using var merged = CanMerge(adapted) ? new MergedCopy(adapted) : null;
        var evaluation = Evaluation(baseModel, adapted, merged?.Model, options, cancellation);
        var (prompt, token, hasCache) = Generation(baseModel, adapted, merged?.Model, options, cancellation);
        VariantTimes[] variants = [.. evaluation.Select((time, i) => new VariantTimes(time, prompt[i], token[i]))];
        return new InferenceBenchmarkResult
        {
            Base = variants[0],
            Unmerged = variants[1],
            Merged = variants.ElementAtOrDefault(2),
            HasCache = hasCache,
            OnnxRuntimeVersion = OrtEnv.Instance().GetVersionString(),
        };
    }

    private static RunTimes[] Evaluation(
        Model plain, PeftModel adapted, Model? merged, InferenceBenchmarkOptions options, CancellationToken stop)
    {
        var runtime = options.EvaluationRuntime;
        var data = new TokenDataset(RandomRows.Create(
            options.BatchSize, options.SequenceLength, options.Supervised, options.VocabularySize));
        using var first = new Evaluator(plain, runtime);
        using var second = new Evaluator(adapted, runtime);
        using var third = merged is null ? null : new Evaluator(merged, runtime);
        Evaluator[] variants = third is null ? [first, second] : [first, second, third];
        var times = Rounds.Of(options, variants, evaluator =>
        {
            var started = Stopwatch.GetTimestamp();
            evaluator.Evaluate(data, options.BatchSize, stop);
            return Stopwatch.GetElapsedTime(started);
        });
        return Rounds.Compare(times, static time => time);
    }

    private static (RunTimes[] Prompt, RunTimes[] Token, bool HasCache) Generation(
        Model plain, PeftModel adapted, Model? merged, InferenceBenchmarkOptions options, CancellationToken stop)
    {
        var runtime = options.GenerationRuntime;
        var prompt = RandomRows.Tokens(options.PromptTokens, options.VocabularySize);
        var until = new GenerationOptions { MaxNewTokens = options.NewTokens };
        using var first = Generator.Open(plain, runtime);
        using var second = Generator.Open(adapted.ForInference(), runtime);
        using var third = merged is null ? null : Generator.Open(merged, runtime);
        Generator[] variants = third is null ? [first, second] : [first, second, third];
        var times = Rounds.Of(options, variants, generator => Continue(generator.Generate(prompt, until, stop)));
        var token = Rounds.Compare(times, time => time.Further / (options.NewTokens - 1));
        return (Rounds.Compare(times, static time => time.First), token, first.HasCache);
    }

    /// <summary>The times to the first token, and from there to the last.</summary>
    private static (TimeSpan First, TimeSpan Further) Continue(IEnumerable<int> tokens)
    {
        var started = Stopwatch.GetTimestamp();
        TimeSpan? first = null;
        foreach (var _ in tokens)
            first ??= Stopwatch.GetElapsedTime(started);
        var all = Stopwatch.GetElapsedTime(started);
        return first is { } time
            ? (time, all - time)
            : throw new UnreachableException("Bug: without an end-of-text token, a prompt has a continuation.");
    }

    private static bool CanMerge(PeftModel adapted) => adapted.Adapters.ActiveNames
        .All(name => PeftMethods.Of(adapted.Adapters.ConfigOf(name)).Description.WhyNotMergeable is null);

    private static void Check(InferenceBenchmarkOptions options)
    {
        SettingException.ThrowIfBelow(options.PromptTokens, 1, nameof(options.PromptTokens));
        SettingException.ThrowIfBelow(options.NewTokens, 2, nameof(options.NewTokens));
        SettingException.ThrowIfBelow(options.Rounds, 1, nameof(options.Rounds));
        SettingException.ThrowIfBelow(options.WarmupRounds, 1, nameof(options.WarmupRounds));
    }
}
