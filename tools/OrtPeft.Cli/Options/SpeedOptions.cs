using System.CommandLine;
using OrtPeft.Compilation.Rewrites;
using OrtPeft.Runtime.Sessions;
using OrtPeft.Training;

namespace OrtPeft.Cli.Options;

/// <summary>What trades memory for time, or can be turned off; results stay the same to rounding.</summary>
internal sealed class SpeedOptions : IOptionGroup
{
    private static readonly TrainingArguments Defaults = new();

    private readonly Option<int> _microBatchTokens = NumberOption.Of(
        "--micro-batch-tokens",
        "The most tokens that run at once, and as many more without a label; larger batches run in parts, whose "
        + "gradients add up. 0 runs them whole.",
        "N",
        Defaults.MicroBatchTokens);

    private readonly Option<bool> _noPrepacking = new("--no-prepacking")
    {
        Description = "Multiply weights as they lie in their file: slower, and less memory for large models. By "
            + "default they are packed where memory allows.",
    };

    private readonly Option<string[]> _without = new Option<string[]>("--without")
    {
        Description = "Leave a rewrite of the training graph out; may be given several times. One of "
            + $"{string.Join(", ", Speedups.All.Select(static s => s.Name))}.",
        HelpName = "SPEEDUP",
    }.AcceptOnlyFromAmong([.. Speedups.All.Select(static s => s.Name)]);

    public IEnumerable<Option> Options => [_microBatchTokens, _noPrepacking, _without];

    public int MicroBatchTokens(Invocation run) => run.Get(_microBatchTokens);

    public IReadOnlyList<string> Without(Invocation run) => run.Get(_without) ?? [];

    public RuntimeOptions Runtime(Invocation run) => run.Runtime with
    {
        Prepacking = run.Get(_noPrepacking) ? false : null,
        MemoryPatterns = Defaults.Runtime.MemoryPatterns,
    };
}
