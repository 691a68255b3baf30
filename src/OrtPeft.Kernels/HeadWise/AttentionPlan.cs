using OrtPeft.Kernels.Loops;

namespace OrtPeft.Kernels.HeadWise;

/// <summary>Operands of attention, which is computed chunk by chunk of queries and of keys: no more than a block of scores
/// is ever in memory.</summary>
internal unsafe struct AttentionPlan
{
    /// <summary>Queries that are computed at once.</summary>
    public const int Block = StridedTile.Width;

    /// <summary>Queries, or keys, whose rows a thread holds in its cache.</summary>
    public const int Chunk = 256;

    /// <summary>Queries, keys and values.</summary>
    public AttentionOperand Q, K, V;

    /// <summary>The result.</summary>
    public AttentionOperand O;

    /// <summary>Gradients, of the shapes of what they are of.</summary>
    public AttentionOperand DO, DQ, DK, DV;

    /// <summary>Of each query the largest score, and the sum of the exponentials of scores less that: [batch, heads,
    /// queries].</summary>
    public float* Max, Sum;

    /// <summary>The term added to the scores.</summary>
    public ScoreMask Mask;

    /// <summary>The factors of the scores' gradient.</summary>
    public ScoreMask Factors;

    /// <summary>Whether probabilities that are not a number are 0.</summary>
    public bool IsGuarded;

    /// <summary>The bound that scores stay below, c in c·tanh(scores/c); 0 for no limit.</summary>
    public float SoftCap;

    /// <summary>A score for each head of queries beside those of its keys; null for none.</summary>
    public float* Sinks;

    /// <summary>The lengths.</summary>
    public int Queries, Keys, Width;

    /// <summary>How many rows the batch has.</summary>
    public long Batch;

    /// <summary>How many heads queries have, and how many keys and values: each of those serves as many query heads one
    /// after the other as make up the first number.</summary>
    public long Heads, Groups;

    /// <summary>The factor of the queries.</summary>
    public float Scale;

    /// <summary>The phase of the backward pass, which says which chunks of keys meet which of queries
    /// (<see cref="AttentionRuns"/>).</summary>
    public int Phase;

    /// <summary>Query heads of a group.</summary>
    public readonly long HeadsOfGroup => Heads / Groups;

    /// <summary>Chunks of the longer of queries and keys.</summary>
    public readonly int Chunks => Tiles(Math.Max(Queries, Keys), Chunk);

    /// <summary>Chunks of queries.</summary>
    public readonly int QueryChunks => Tiles(Queries, Chunk);

    /// <summary>How many queries a chunk has, from its first; none where there is no such chunk.</summary>
    public readonly int QueriesFrom(int first) => Math.Clamp(Queries - first, 0, Chunk);

    /// <summary>The keys of a chunk; none where there is no such chunk.</summary>
    public readonly KeyRange KeysFrom(int first) => new(first, Math.Min(first + Chunk, Keys));

    /// <summary>Keys in whole tiles.</summary>
    public static int Filled(int keys) => Tiles(keys, StridedTile.Rows) * StridedTile.Rows;

    private static int Tiles(int count, int size) => (count + size - 1) / size;
}
