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

    private readonly Option<bool> _keepFloat = new("--keep-float")
    {
        Description = "Leave quantised layers that the adapter changes in float instead of quantising them anew.",
    };

    public MergeOptions() => _as.Validators.Add(static result =>
    {
        if (result.Tokens is [.., { Value: not (Weights or Branches) and var value }])
            result.AddError($"--as is '{value}'; it must be {Weights} or {Branches}.");
    });

    public IEnumerable<Option> Options => [_as, _keepFloat];

    /// <summary>The choice.</summary>
    /// <exception cref="UsageException">The options contradict each other.</exception>
    public MergeForm Read(Invocation run)
    {
        var isBeside = run.Get(_as) == Branches;
        if (isBeside && run.Get(_keepFloat))
            throw new UsageException($"--keep-float is for --as {Weights}; with {Branches} no layer changes. Leave one out.");
        return isBeside ? MergeForm.Branches : run.Get(_keepFloat) ? MergeForm.Float : MergeForm.Requantized;
    }
}
