using System.CommandLine;
using OrtPeft.Adapters.Merging;
using OrtPeft.Cli.Errors;

namespace OrtPeft.Cli.Options;

/// <summary>How an adapter becomes part of the model.</summary>
internal sealed class MergeOptions : IOptionGroup
{
    private const string Weights = "weights";
    private const string Branches = "branches";

    private readonly Option<string> _as = new("--as")
    {
        Description = "Merge LoRA into the weights, or add it to the graph as small products beside layers that stay as "
            + "they are.",
        HelpName = $"{Weights}|{Branches}",
        DefaultValueFactory = static _ => Weights,
    };

    private readonly Option<bool> _requantize = new("--requantize")
    {
        Description = "Quantise layers that the adapter changes anew, by their own scheme, and report what that loses.",
    };

    private readonly Option<bool> _keepFloat = new("--keep-float")
    {
        Description = "Make layers that the adapter changes float32, which is exact. The default is float layers of the graph's own "
            + "precision.",
    };

    public MergeOptions() => _as.Validators.Add(static result =>
    {
        if (result.Tokens is [.., { Value: not (Weights or Branches) and var value }])
            result.AddError($"--as is '{value}'; it must be {Weights} or {Branches}.");
    });

    public IEnumerable<Option> Options => [_as, _requantize, _keepFloat];

    /// <summary>The choice.</summary>
    /// <exception cref="UsageException">The options contradict each other.</exception>
    public MergeForm Read(Invocation run)
    {
        var isBeside = run.Get(_as) == Branches;
        Option<bool>[] forms = [_requantize, _keepFloat];
        if (isBeside && forms.FirstOrDefault(run.Get) is { } form)
            throw new UsageException($"{form.Name} is for --as {Weights}; with {Branches} no layer changes. Leave one out.");
        if (forms.All(run.Get))
            throw new UsageException("--requantize and --keep-float contradict each other; give one of them.");
        return isBeside ? MergeForm.Branches : run.Get(_requantize) ? MergeForm.Requantized
            : run.Get(_keepFloat) ? MergeForm.Float32
            : MergeForm.Float;
    }
}
