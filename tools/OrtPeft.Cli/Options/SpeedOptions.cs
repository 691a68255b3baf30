using System.CommandLine;
using OrtPeft.Cli.Errors;
using OrtPeft.Compilation.Rewrites;
using OrtPeft.Onnx;
using OrtPeft.Runtime.Sessions;
using OrtPeft.Training;
using OrtPeft.Training.Runtime;

namespace OrtPeft.Cli.Options;

/// <summary>Options that trade memory or exactness for time, or turn something off.</summary>
internal sealed class SpeedOptions : IOptionGroup
{
    private static readonly TrainingArguments Defaults = new();

    private readonly Option<int> _microBatchTokens = NumberOption.Of(
        "--micro-batch-tokens",
        "Split batches into parts of at most N tokens (up to N further unlabelled ones are allowed) and accumulate "
        + "gradients; 0 disables splitting.",
        "N",
        Defaults.MicroBatchTokens);

    private readonly Option<long?> _memoryLimit = SizeOption.Of(
        "--memory-limit",
        "The most memory that training may use, such as 1500MB or 4GB. If it would need more, parts of the forward "
        + "pass are recomputed instead of kept (gradient checkpointing); results do not change, in bf16 but for its rounding.");

    private readonly Option<string> _precision = new Option<string>("--precision")
    {
        Description = "Precision of products with frozen weights: float32; bf16 with float32 accumulation, faster "
            + "and smaller on processors with AVX512_BF16 and on CUDA; fp16 with dynamic loss scaling, for CUDA, DirectML and "
            + "WebGPU; or auto, bf16 on those processors and float32 elsewhere.",
        HelpName = string.Join('|', ProductPrecision.Names),
        DefaultValueFactory = static _ => Defaults.Precision,
    }.AcceptOnlyFromAmong([.. ProductPrecision.Names]);

    private readonly Option<bool> _noPrepacking = new("--no-prepacking")
    {
        Description = "Do not repack weights for this CPU: slower, but uses less memory. By default weights are "
            + "repacked if memory allows; quantized weights never are.",
    };

    private readonly Option<string[]> _without = new Option<string[]>("--without")
    {
        Description = "Disable one graph optimization (repeatable; for debugging): "
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
            throw new UsageException($"{path} holds artifacts, which keep what they keep; leave out "
                + $"{_memoryLimit.Name}.");
        if (run.Has(_precision))
            throw new UsageException($"{path} holds artifacts, whose products are float32's; leave out "
                + $"{_precision.Name}.");
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
