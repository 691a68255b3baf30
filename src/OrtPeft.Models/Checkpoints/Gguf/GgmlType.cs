namespace OrtPeft.Models.Checkpoints.Gguf;

/// <summary>Turns one block's bytes into its numbers.</summary>
/// <param name="block">The block, whole.</param>
/// <param name="numbers">Receives the numbers.</param>
internal delegate void BlockReader(ReadOnlySpan<byte> block, Span<float> numbers);

/// <summary>How ggml holds numbers: in blocks along a tensor's last axis.</summary>
/// <param name="Name">ggml's name.</param>
/// <param name="BlockLength">Numbers of a block; 1 where each stands alone.</param>
/// <param name="BlockBytes">Bytes of a block.</param>
/// <param name="Read">Makes numbers of a block; null where they stand as floats.</param>
internal sealed record GgmlType(string Name, int BlockLength, int BlockBytes, BlockReader? Read)
{
    /// <summary>Numbers of a block of the K types.</summary>
    public const int SuperBlock = 256;

    private const int Block = 32;

    /// <summary>float32.</summary>
    public static GgmlType F32 { get; } = new("F32", 1, 4, null);

    /// <summary>float16.</summary>
    public static GgmlType F16 { get; } = new("F16", 1, 2, null);

    /// <summary>bfloat16.</summary>
    public static GgmlType BF16 { get; } = new("BF16", 1, 2, null);

    /// <summary>float64.</summary>
    public static GgmlType F64 { get; } = new("F64", 1, 8, null);

    /// <summary>4 bits around 8, and a scale.</summary>
    public static GgmlType Q40 { get; } = new("Q4_0", Block, 18, GgmlBlocks.Q40);

    /// <summary>5 bits around 16, and a scale.</summary>
    public static GgmlType Q50 { get; } = new("Q5_0", Block, 22, GgmlBlocks.Q50);

    /// <summary>8 bits with a sign, and a scale.</summary>
    public static GgmlType Q80 { get; } = new("Q8_0", Block, 34, GgmlBlocks.Q80);

    /// <summary>6 bits around 32, and a scale of 8 bits for each 16.</summary>
    public static GgmlType Q6K { get; } = new("Q6_K", SuperBlock, 210, GgmlBlocks.Q6K);

    private static readonly Dictionary<uint, GgmlType> Rows = new()
    {
        [0] = F32,
        [1] = F16,
        [2] = Q40,
        [3] = new("Q4_1", Block, 20, GgmlBlocks.Q41),
        [6] = Q50,
        [7] = new("Q5_1", Block, 24, GgmlBlocks.Q51),
        [8] = Q80,
        [12] = new("Q4_K", SuperBlock, 144, GgmlBlocks.Q4K),
        [13] = new("Q5_K", SuperBlock, 176, GgmlBlocks.Q5K),
        [14] = Q6K,
        [28] = F64,
        [30] = BF16,
    };

    private static readonly Dictionary<uint, string> NotRead = new()
    {
        [9] = "Q8_1",
        [10] = "Q2_K",
        [11] = "Q3_K",
        [15] = "Q8_K",
        [16] = "IQ2_XXS",
        [17] = "IQ2_XS",
        [18] = "IQ3_XXS",
        [19] = "IQ1_S",
        [20] = "IQ4_NL",
        [21] = "IQ3_S",
        [22] = "IQ2_S",
        [23] = "IQ4_XS",
        [29] = "IQ1_M",
        [34] = "TQ1_0",
        [35] = "TQ2_0",
        [39] = "MXFP4",
    };

    /// <summary>The names of the types that are read.</summary>
    public static IEnumerable<string> Names => Rows.Values.Select(static t => t.Name);

    /// <summary>The type of a number in the file; null where it is not read.</summary>
    public static GgmlType? Of(uint id) => Rows.GetValueOrDefault(id);

    /// <summary>The name of a type that is not read, for messages.</summary>
    public static string NameOf(uint id) => NotRead.GetValueOrDefault(id) ?? $"number {id}";
}
