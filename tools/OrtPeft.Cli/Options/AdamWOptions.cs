using System.CommandLine;
using OrtPeft.Artifacts;

namespace OrtPeft.Cli.Options;

/// <summary>AdamW's constants.</summary>
internal sealed class AdamWOptions : IOptionGroup
{
    private static readonly AdamWConfig Defaults = new();

    private readonly Option<double> _weightDecay = NumberOption.Of(
        "--weight-decay", "AdamW's decoupled weight decay.", "X", Defaults.WeightDecay);

    private readonly Option<double> _maxGradNorm = NumberOption.Of(
        "--max-grad-norm", "Clip gradients to this norm; 0 disables clipping.", "X", Defaults.MaxGradNorm);

    private readonly Option<double> _beta1 = NumberOption.Of(
        "--beta1", "AdamW's first-moment decay.", "X", Defaults.Beta1);

    private readonly Option<double> _beta2 = NumberOption.Of(
        "--beta2", "AdamW's second-moment decay.", "X", Defaults.Beta2);

    private readonly Option<double> _epsilon = NumberOption.Of(
        "--epsilon", "AdamW's epsilon, added to the root of the second moment.", "X", Defaults.Epsilon);

    public IEnumerable<Option> Options => [_weightDecay, _maxGradNorm, _beta1, _beta2, _epsilon];

    /// <summary>The decays of moments.</summary>
    public IReadOnlyList<Option> Betas => [_beta1, _beta2];

    /// <summary>The term that is added where there would be a division by 0.</summary>
    public Option Epsilon => _epsilon;

    /// <summary>The given weight decay; else the optimizer's own.</summary>
    public double WeightDecay(Invocation run, OptimizerConfig own) =>
        run.Has(_weightDecay) ? run.Get(_weightDecay) : own.WeightDecay;

    /// <summary>The given second decay; else the optimizer's own.</summary>
    public double Beta2(Invocation run, double own) => run.Has(_beta2) ? run.Get(_beta2) : own;

    public AdamWConfig Read(Invocation run) => new()
    {
        Beta1 = run.Get(_beta1),
        Beta2 = run.Get(_beta2),
        Epsilon = run.Get(_epsilon),
        WeightDecay = run.Get(_weightDecay),
        MaxGradNorm = run.Get(_maxGradNorm),
    };
}
