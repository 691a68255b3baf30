namespace OrtPeft.Cli.Bench.Suite;

/// <summary>The suite's cases: what people train most, in each precision and on each base, long rows, and generation.
/// </summary>
internal static class SuiteCases
{
    private const string Float32 = "float32";
    private const string Bf16 = "bf16";
    private const string Short = "--batch-size 4 --seq-len 128";
    private const string Long = "--batch-size 1 --seq-len 1024";
    private const string AllLinear = "--rank 8 --alpha 8 --target all-linear";

    private static readonly SuiteModel Gpt2 = new("gpt2");
    private static readonly SuiteModel SmolLm = new("smollm2-135m");
    private static readonly SuiteModel SmolLmInt4 = new("smollm2-135m", "int");
    private static readonly SuiteModel SmolLmNf4 = new("smollm2-135m", "nf4");

    private static readonly SuiteCase Gpt2Float = new(
        "GPT-2 124M, all-linear, 4 × 128", Float32, Gpt2, $"{Short} {AllLinear}");

    private static readonly SuiteCase Gpt2Bf16 = Gpt2Float with
    {
        Variant = Bf16,
        Arguments = $"{Gpt2Float.Arguments} --precision bf16",
    };

    private static readonly SuiteCase SmolLmFloat = new(
        "SmolLM2-135M, all-linear, 4 × 128", Float32, SmolLm, $"{Short} {AllLinear}");

    private static readonly SuiteCase SmolLmBf16 = SmolLmFloat with
    {
        Variant = Bf16,
        Arguments = $"{SmolLmFloat.Arguments} --precision bf16",
    };

    private static readonly SuiteCase SmolLmOnInt4 = SmolLmFloat with { Variant = "int4 base", Model = SmolLmInt4 };

    private static readonly SuiteCase SmolLmOnNf4 = SmolLmFloat with { Variant = "NF4 base", Model = SmolLmNf4 };

    private static readonly SuiteCase SmolLmLong = new(
        "SmolLM2-135M, all-linear, 1 × 1024", Float32, SmolLm, $"{Long} {AllLinear}");

    private static readonly SuiteCase SmolLmLongest = new(
        "SmolLM2-135M, all-linear, 1 × 8192",
        Float32,
        SmolLm,
        $"--batch-size 1 --seq-len 8192 --memory-limit 3GB --steps 1 --warmup-steps 1 {AllLinear}");

    private static readonly SuiteCase Generating = new(
        "SmolLM2-135M", Float32, SmolLm, $"--what inference --prompt-tokens 32 --new-tokens 32 {AllLinear}");

    private static readonly SuiteCase GeneratingInt4 = Generating with { Variant = "int4 base", Model = SmolLmInt4 };

    private static readonly SuiteCase GeneratingNf4 = Generating with { Variant = "NF4 base", Model = SmolLmNf4 };

    /// <summary>The cases, in the order in which each round runs them.</summary>
    public static IReadOnlyList<SuiteCase> All { get; } =
    [
        new("GPT-2 124M, c_attn, 4 × 128", Float32, Gpt2, $"{Short} --rank 8 --alpha 8 --target c_attn"),
        Gpt2Float,
        Gpt2Bf16,
        SmolLmFloat,
        SmolLmBf16,
        SmolLmOnInt4,
        SmolLmOnNf4,
        SmolLmFloat with { Variant = "float32, without AVX-512", TurnedOff = "DOTNET_EnableAVX512" },
        SmolLmLong,
        SmolLmLong with { Variant = Bf16, Arguments = $"{SmolLmLong.Arguments} --precision bf16" },
        SmolLmLongest,
        Generating,
        GeneratingInt4,
        GeneratingNf4,
    ];

    /// <summary>The comparisons below the tables.</summary>
    public static IReadOnlyList<SuiteRatio> Ratios { get; } =
    [
        new("a step of GPT-2 in bf16 / in float32", Gpt2Bf16, Gpt2Float, static f => f.Step),
        new("a step of SmolLM2 in bf16 / in float32", SmolLmBf16, SmolLmFloat, static f => f.Step),
        new("a step of SmolLM2 on int4 / on float32", SmolLmOnInt4, SmolLmFloat, static f => f.Step),
        new("a step of SmolLM2 on NF4 / on float32", SmolLmOnNf4, SmolLmFloat, static f => f.Step),
        new("a token in rows of 8,192 / of 1,024", SmolLmLongest, SmolLmLong, static f => 1 / f.TokensPerSecond),
        new("a new token on int4 / on float32", GeneratingInt4, Generating, static f => 1 / f.NewTokens("base")),
    ];
}
