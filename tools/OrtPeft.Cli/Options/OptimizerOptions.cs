using System.CommandLine;
using OrtPeft.Artifacts;
using OrtPeft.Cli.Errors;

namespace OrtPeft.Cli.Options;

/// <summary>The optimiser of a run, and its constants.</summary>
internal sealed class OptimizerOptions : IOptionGroup
{
    private static readonly AdamWConfig AdamW = new();
    private static readonly LionConfig Lion = new();
    private static readonly SgdConfig Sgd = new();
    private static readonly string[] Names = [AdamW.Name, Lion.Name, Sgd.Name];

    private readonly Option<string> _optim = new("--optim")
    {
        Description = "Optimizer, by transformers' name. Without --weight-decay, lion_32bit and sgd have none; without "
            + "--beta2, lion_32bit has 0.99.",
        HelpName = string.Join('|', Names),
        DefaultValueFactory = static _ => Names[0],
    };

    private readonly AdamWOptions _adamW = new();

    private readonly Option<double> _momentum = NumberOption.Of(
        "--momentum", "SGD's momentum.", "X", Sgd.Momentum);

    private readonly Option<bool> _nesterov = new("--nesterov") { Description = "With --optim sgd: Nesterov's momentum." };

    public OptimizerOptions() => _optim.Validators.Add(result =>
    {
        if (result.Tokens is [.., { Value: var name }] && !Names.Contains(name))
            result.AddError($"{_optim.Name} is '{name}'; it must be one of {string.Join(", ", Names)}.");
    });

    public IEnumerable<Option> Options => [_optim, .. _adamW.Options, _momentum, _nesterov];

    /// <summary>Reads the optimiser.</summary>
    /// <exception cref="UsageException">An option is another optimiser's.</exception>
    public OptimizerConfig Read(Invocation run)
    {
        var (name, given) = (run.Get(_optim), _adamW.Read(run));
        var (config, others) = name == Sgd.Name ? (OfSgd(run, given), (Option[])[.. _adamW.Own, .. _adamW.Betas])
            : name == Lion.Name ? (OfLion(run, given), [.. _adamW.Own, _momentum, _nesterov])
            : (given, (Option[])[_momentum, _nesterov]);
        if (others.FirstOrDefault(run.Has) is { } other)
            throw new UsageException($"{other.Name} is not a setting of {name}; leave it out, or choose another {_optim.Name}.");
        return run.Get(_nesterov) && run.Get(_momentum) == 0
            ? throw new UsageException($"{_nesterov.Name} needs a momentum; give {_momentum.Name} above 0.")
            : config;
    }

    private OptimizerConfig OfSgd(Invocation run, AdamWConfig given) => Sgd with
    {
        Momentum = run.Get(_momentum),
        Nesterov = run.Get(_nesterov),
        WeightDecay = _adamW.WeightDecay(run) ?? Sgd.WeightDecay,
        MaxGradNorm = given.MaxGradNorm,
    };

    private LionConfig OfLion(Invocation run, AdamWConfig given) => Lion with
    {
        Beta1 = given.Beta1,
        Beta2 = _adamW.Beta2(run) ?? Lion.Beta2,
        WeightDecay = _adamW.WeightDecay(run) ?? Lion.WeightDecay,
        MaxGradNorm = given.MaxGradNorm,
    };
}
