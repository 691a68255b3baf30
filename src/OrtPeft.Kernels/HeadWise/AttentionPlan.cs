using System.Numerics.Tensors;
using OrtPeft.Kernels.Loops;
using OrtPeft.Kernels.Native;

namespace OrtPeft.Kernels.HeadWise;

/// <summary>Operands of attention, of which a piece is one head of one row of the batch.</summary>
internal unsafe struct AttentionPlan
{
    /// <summary>Queries that are computed at once.</summary>
    public const int Block = StridedTile.Width;

    /// <summary>What <see cref="CountSeen"/> found; kept, since the next layer needs as much.</summary>
    [ThreadStatic]
    private static int[]? _kept;

    /// <summary>Queries, keys and values.</summary>
    public AttentionOperand Q, K, V;

    /// <summary>Probabilities, block after block of queries, each [<see cref="SeenOf"/>, <see cref="Block"/>], with 0
    /// where there is no key or no query.</summary>
    public float* P;

    /// <summary>How many numbers of <see cref="P"/> a head has.</summary>
    public long NumbersOfHead;

    /// <summary>The result, or its gradient.</summary>
    public AttentionOperand O;

    /// <summary>Gradients, of the shapes of what they are of.</summary>
    public AttentionOperand DQ, DK, DV;

    /// <summary>What is added to the scores.</summary>
    public ScoreMask Mask;

    /// <summary>What the scores' gradient is multiplied with.</summary>
    public ScoreMask Factors;

    /// <summary>Whether probabilities that are not a number are 0.</summary>
    public bool IsGuarded;

    /// <summary>What scores stay below, c in c·tanh(scores/c); 0 for no limit.</summary>
    public float SoftCap;

    /// <summary>A score for each head of queries beside those of its keys; null for none.</summary>
    public float* Sinks;

    /// <summary>The lengths.</summary>
    public int Queries, Keys, Width;

    /// <summary>How many heads queries have, and how many keys and values: each of those serves as many query heads one
    /// after the other as make up the first number.</summary>
    public long Heads, Groups;

    /// <summary>Query heads of a group.</summary>
    public readonly long HeadsOfGroup => Heads / Groups;

    /// <summary>What queries are multiplied with.</summary>
    public float Scale;

    private int* _seen;

    /// <summary>How many keys are computed for a block of queries, in whole tiles.</summary>
    public readonly int SeenOf(int block) => _seen[block];

    /// <summary>Counts how many keys the mask lets each block of queries see, in any head.</summary>
    public void CountSeen()
    {
        Mask.CountSeen();
        var blocks = Tiles(Queries, Block);
        _seen = KeptMemory.Of(ref _kept, blocks);
        var seen = new Span<int>(_seen, blocks);
        Mask.SeenOfBlocks(seen, Block);
        foreach (ref var keys in seen)
            keys = Filled(keys);
        NumbersOfHead = (long)Block * TensorPrimitives.Sum<int>(seen);
    }

    /// <summary>Keys in whole tiles.</summary>
    public static int Filled(int keys) => Tiles(keys, StridedTile.Rows) * StridedTile.Rows;

    private static int Tiles(int count, int size) => (count + size - 1) / size;
}
