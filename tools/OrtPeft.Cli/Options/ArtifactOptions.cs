using System.CommandLine;
using System.Globalization;
using OrtPeft.Cli.Artifacts;
using OrtPeft.Cli.Errors;
using OrtPeft.Compilation.Artifacts;
using OrtPeft.Runtime.Sessions;
using OrtPeft.Training;

namespace OrtPeft.Cli.Options;

/// <summary>The choices that are made when artifacts are written; defaults are those of training.</summary>
internal sealed class ArtifactOptions : IOptionGroup
{
    private static readonly TrainingArguments Defaults = new();

    private static readonly Dictionary<FrozenWeights, string> Places = new()
    {
        [FrozenWeights.Embed] = "embed",
        [FrozenWeights.File] = "file",
        [FrozenWeights.Checkpoint] = "checkpoint",
    };

    private readonly Option<string> _runtime = new("--runtime")
    {
        Description = $"The runtime that will train with them: {string.Join(", ", ArtifactWriters.All)}.",
        HelpName = "NAME",
        DefaultValueFactory = static _ => ArtifactWriters.All[0].Name,
    };

    private readonly Option<string?> _frozen = new("--frozen-weights")
    {
        Description = "embed: in every model; file: in one file beside them; checkpoint: in ort-training's checkpoint. "
            + "[default: ort-training: checkpoint; ort: embed up to 16 MiB, file above]",
        HelpName = "WHERE",
    };

    private readonly Option<double?> _foldedLearningRate = NumberOption.Optional<double>(
        "--fold-lr",
        "ort-training: the learning rate where it cannot be set, as on the web, where it is always 0.001.",
        "X");

    private readonly AdamWOptions _optimizer = new();

    private readonly Option<double> _loraPlusRatio = NumberOption.Of(
        "--loraplus-lr-ratio", "LoRA+: ratio of B's learning rate to A's.", "X", Defaults.LoraPlusRatio);

    private readonly Option<bool> _noBiasDecay = new("--no-bias-decay")
    {
        Description = "Leave biases and norms out of weight decay, as HF's Trainer does. Not for ort-training.",
    };

    private readonly Option<long> _seed = NumberOption.Of("--seed", "Random seed for new weights.", "N", Defaults.Seed);

    private readonly Option<bool> _noBaseDropout = new("--no-base-dropout")
    {
        Description = "Remove the dropout of a graph exported in training mode.",
    };

    private readonly Option<bool> _evalLogits = new("--eval-logits")
    {
        Description = "Give the evaluation model a logits output, to generate from; slower with large vocabularies.",
    };

    public ArtifactOptions()
    {
        OneOf(_runtime, [.. ArtifactWriters.All.Select(static w => w.Name)]);
        OneOf(_frozen, [.. ArtifactWriters.All.SelectMany(static w => w.Places).Distinct().Select(NameOf)]);
    }

    public IEnumerable<Option> Options =>
    [
        _runtime, _frozen, _foldedLearningRate, .. _optimizer.Options, _loraPlusRatio, _noBiasDecay, _seed,
        _noBaseDropout, _evalLogits,
    ];

    /// <summary>The writer for the chosen runtime.</summary>
    /// <exception cref="UsageException">It does not write for the provider.</exception>
    public ArtifactWriter Writer(Invocation run)
    {
        var (writer, provider) = (ArtifactWriters.Of(run.Get(_runtime)), ExecutionProvider.Named(run.Runtime.Provider));
        if (provider.ReadsHostMemory || writer.IsForProviders)
            return writer;
        throw new UsageException(
            $"--provider {provider.Name} is not for --runtime {writer.Name}; leave it out, or choose --runtime "
            + $"{ArtifactWriters.All.First(static w => w.IsForProviders).Name}.");
    }

    /// <summary>The place that was chosen, or null.</summary>
    /// <exception cref="UsageException">The runtime has no such place.</exception>
    private FrozenWeights? Frozen(Invocation run)
    {
        if (run.Get(_frozen) is not { } name)
            return null;
        var (place, writer) = (Places.Single(p => p.Value == name).Key, Writer(run));
        return writer.Places.Contains(place)
            ? place
            : throw new UsageException(
                $"--frozen-weights {name} is not for --runtime {writer.Name}; " +
                $"choose one of {string.Join(", ", writer.Places.Select(NameOf))}.");
    }

    private static string NameOf(FrozenWeights place) => Places[place];

    /// <summary>The rate that was chosen, or null.</summary>
    /// <exception cref="UsageException">The runtime takes a rate at every step, or the rate is none.</exception>
    private double? FoldedLearningRate(Invocation run)
    {
        var (rate, writer) = (run.Get(_foldedLearningRate), Writer(run));
        if (rate is not null && !writer.FoldsLearningRate)
        {
            throw new UsageException(
                $"--fold-lr is not for --runtime {writer.Name}, which is told its rate at each step.");
        }

        if (rate is null or > 0)
            return rate;
        throw new UsageException(string.Create(
            CultureInfo.InvariantCulture, $"--fold-lr is {rate}; it must be above 0."));
    }

    /// <summary>The settings of what is to be written; checked.</summary>
    /// <param name="run">The command line.</param>
    /// <param name="arguments">What <see cref="Read"/> gave.</param>
    /// <exception cref="UsageException">Something is not for the runtime.</exception>
    public ArtifactSettings Settings(Invocation run, TrainingArguments arguments)
    {
        var provider = ExecutionProvider.Named(run.Runtime.Provider);
        return new()
        {
            Optimizer = _optimizer.Read(run),
            LearningRateFactor = arguments.LearningRateFactorOf,
            IsExemptFromDecay = arguments.IsExemptFromDecay,
            BaseDropout = arguments.BaseDropout,
            Frozen = Frozen(run),
            FoldedLearningRate = FoldedLearningRate(run),
            EvaluationPredictions = run.Get(_evalLogits),
            LackedOperators = provider.Lacks,
            MasksLabels = !provider.ReadsHostMemory,
        };
    }

    /// <summary>The arguments that <c>train</c> would be given; checked.</summary>
    /// <exception cref="ArgumentException">A number is out of its range.</exception>
    public TrainingArguments Read(Invocation run)
    {
        var arguments = Defaults with
        {
            LoraPlusRatio = run.Get(_loraPlusRatio),
            DecayBiasesAndNorms = !run.Get(_noBiasDecay),
            Optimizer = _optimizer.Read(run),
            Seed = run.Get(_seed),
            BaseDropout = !run.Get(_noBaseDropout),
        };
        arguments.Validate();
        return arguments;
    }

    private static void OneOf(Option option, IReadOnlyList<string> allowed) => option.Validators.Add(result =>
    {
        if (result.Tokens is [.., { Value: var value }] && !allowed.Contains(value))
            result.AddError($"{option.Name} is '{value}'; it must be one of {string.Join(", ", allowed)}.");
    });
}
