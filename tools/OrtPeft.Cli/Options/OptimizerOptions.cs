using System.CommandLine;
using OrtPeft.Artifacts;
using OrtPeft.Cli.Errors;

namespace OrtPeft.Cli.Options;

/// <summary>The optimiser of a run, and its constants.</summary>
internal sealed class OptimizerOptions : IOptionGroup
{
    private static readonly LionConfig Lion = new();
    private static readonly SgdConfig Sgd = new();
    private static readonly MuonConfig Muon = new();

    private readonly AdamWOptions _adamW = new();

    private readonly Option<double> _momentum = NumberOption.Of(
        "--momentum", "SGD's momentum; without it, muon has 0.95.", "X", Sgd.Momentum);

    private readonly Option<bool> _nesterov = new("--nesterov")
    {
        Description = "With --optim sgd: Nesterov's momentum, which muon has by default.",
    };

    private readonly Option<bool> _originalRate = new("--muon-original-rate")
    {
        Description = "With --optim muon: scale rates by √max(1, rows/columns), as PyTorch's adjust_lr_fn=original, and not "
            + "by 0.2·√max(rows, columns), which fits AdamW's rates.",
    };

    private readonly Option<string> _optim;
    private readonly Dictionary<string, Kind> _kinds;

    public OptimizerOptions()
    {
        Option[] adamW = [.. _adamW.Betas, _adamW.Epsilon];
        Kind[] kinds =
        [
            new(new AdamWConfig(), adamW, static (given, _) => given),
            new(new AdamW8bitConfig(), adamW, static (given, _) =>
                new AdamW8bitConfig { Beta1 = given.Beta1, Beta2 = given.Beta2, Epsilon = given.Epsilon }),
            new(new AdafactorConfig(), [], static (_, _) => new AdafactorConfig()),
            new(Lion, _adamW.Betas, (given, run) =>
                Lion with { Beta1 = given.Beta1, Beta2 = _adamW.Beta2(run, Lion.Beta2) }),
            new(Muon, [.. adamW, .. Special], (given, run) => Muon with
            {
                Momentum = run.Has(_momentum) ? run.Get(_momentum) : Muon.Momentum,
                Nesterov = run.Has(_nesterov) ? run.Get(_nesterov) : Muon.Nesterov,
                OriginalRate = run.Get(_originalRate),
                Beta1 = given.Beta1,
                Beta2 = given.Beta2,
                Epsilon = given.Epsilon,
            }),
            new(new ScheduleFreeAdamWConfig(), adamW, static (given, _) =>
                new ScheduleFreeAdamWConfig { Beta1 = given.Beta1, Beta2 = given.Beta2, Epsilon = given.Epsilon }),
            new(Sgd, [_momentum, _nesterov], (_, run) =>
                Sgd with { Momentum = run.Get(_momentum), Nesterov = run.Get(_nesterov) }),
        ];
        _kinds = kinds.ToDictionary(static k => k.Default.Name);
        _optim = new("--optim")
        {
            Description = "Optimizer, by transformers' name. Each has its own default of --weight-decay: 0.01 for AdamW, 0.1 "
                + "for muon, else 0; without --beta2, lion_32bit has 0.99.",
            HelpName = string.Join('|', _kinds.Keys),
            DefaultValueFactory = _ => kinds[0].Default.Name,
        };
        _optim.Validators.Add(result =>
        {
            if (result.Tokens is [.., { Value: var name }] && !_kinds.ContainsKey(name))
                result.AddError($"{_optim.Name} is '{name}'; it must be one of {string.Join(", ", _kinds.Keys)}.");
        });
    }

    public IEnumerable<Option> Options => [_optim, .. _adamW.Options, .. Special];

    private IEnumerable<Option> Special => [_momentum, _nesterov, _originalRate];

    /// <summary>Reads the optimiser.</summary>
    /// <exception cref="UsageException">An option is another optimiser's.</exception>
    public OptimizerConfig Read(Invocation run)
    {
        var kind = _kinds[run.Get(_optim)];
        Option[] all = [.. _adamW.Betas, _adamW.Epsilon, .. Special];
        if (all.Except(kind.Options).FirstOrDefault(run.Has) is { } other)
        {
            throw new UsageException(
                $"{other.Name} is not a setting of {kind.Default.Name}; leave it out, or choose another {_optim.Name}.");
        }

        var given = _adamW.Read(run);
        var config = kind.Make(given, run) with
        {
            WeightDecay = _adamW.WeightDecay(run, kind.Default),
            MaxGradNorm = given.MaxGradNorm,
        };
        return config is SgdConfig { Nesterov: true, Momentum: 0 }
            ? throw new UsageException($"{_nesterov.Name} needs a momentum; give {_momentum.Name} above 0.")
            : config;
    }

    /// <summary>An optimiser.</summary>
    /// <param name="Default">It with its defaults.</param>
    /// <param name="Options">The options that are settings of it, beside decay and clipping.</param>
    /// <param name="Make">Makes it of AdamW's constants as they were given, and the rest.</param>
    private sealed record Kind(
        OptimizerConfig Default, IReadOnlyList<Option> Options, Func<AdamWConfig, Invocation, OptimizerConfig> Make);
}
