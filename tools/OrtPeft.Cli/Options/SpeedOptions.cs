using System.CommandLine;
using OrtPeft.Cli.Errors;
using OrtPeft.Compilation.Rewrites;
using OrtPeft.Onnx;
using OrtPeft.Runtime.Sessions;
using OrtPeft.Training;
using OrtPeft.Training.Runtime;

namespace OrtPeft.Cli.Options;

/// <summary>What trades memory or exactness for time, or can be turned off.</summary>
internal sealed class SpeedOptions : IOptionGroup
{
    private static readonly TrainingArguments Defaults = new();

    private readonly Option<int> _microBatchTokens = NumberOption.Of(
        "--micro-batch-tokens",
        "The most tokens that run at once, and as many more without a label; larger batches run in parts, whose "
        + "gradients add up. 0 runs them whole.",
        "N",
        Defaults.MicroBatchTokens);

    private readonly Option<long?> _memoryLimit = SizeOption.Of(
        "--memory-limit",
        "The most memory that training may take, such as 1500MB or 4GB. Where it would take more, parts of the forward "
        + "pass run twice rather than being kept; results stay the same.");

    private readonly Option<string> _precision = new Option<string>("--precision")
    {
        Description = "What frozen weights are multiplied in: float32; bf16, with float32 sums, faster and in less "
            + "memory on processors that have AVX512_BF16; or auto, bf16 on those and float32 elsewhere.",
        HelpName = string.Join('|', ProductPrecision.Names),
        DefaultValueFactory = static _ => Defaults.Precision,
    }.AcceptOnlyFromAmong([.. ProductPrecision.Names]);

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

    public IEnumerable<Option> Options => [_microBatchTokens, _memoryLimit, _precision, _noPrepacking, _without];

    public int MicroBatchTokens(Invocation run) => run.Get(_microBatchTokens);

    public long? MemoryLimit(Invocation run) => run.Get(_memoryLimit);

    /// <summary>Refuses what graphs that were written before have decided.</summary>
    public void RefuseForArtifacts(Invocation run, string path)
    {
        if (run.Has(_memoryLimit))
            throw new UsageException($"{path} holds artifacts, which keep what they keep; leave out {_memoryLimit.Name}.");
        if (run.Has(_precision))
            throw new UsageException($"{path} holds artifacts, whose products are float32's; leave out {_precision.Name}.");
    }

    public string Precision(Invocation run) => run.Get(_precision)!;

    /// <summary>Says in a line where a precision cannot be had.</summary>
    public void Warn(Invocation run, Model model)
    {
        var wanted = Speedups.Except(Without(run));
        if (SpeedupChoice.WhyNotInBf16(model, Runtime(run), wanted, Precision(run)) is { } reason)
            run.Warn($"--precision bf16: {reason}; products stay in float32.");
    }

    public IReadOnlyList<string> Without(Invocation run) => run.Get(_without) ?? [];

    public RuntimeOptions Runtime(Invocation run) => run.Runtime with
    {
        Prepacking = run.Get(_noPrepacking) ? false : null,
        MemoryPatterns = Defaults.Runtime.MemoryPatterns,
    };
}
