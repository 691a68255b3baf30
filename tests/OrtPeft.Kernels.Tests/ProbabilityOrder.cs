using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Tensors;

namespace OrtPeft.Kernels.Tests;

/// <summary>
/// The order in which the attention kernels hand over probabilities: block after block of 32 queries, each [keys, 32],
/// with as many keys as the block sees in any head, in whole tiles of 8.
/// </summary>
internal sealed class ProbabilityOrder
{
    private const long Block = 32;
    private const long Tile = 8;
    private const long Vector = 16;
    private const float Hidden = -1e30f;

    private readonly long[] _scores;
    private readonly long[] _seen;

    /// <param name="scores">[batch, heads, queries, keys].</param>
    /// <param name="mask">What is added to them.</param>
    public ProbabilityOrder(long[] scores, Tensor mask)
    {
        _scores = scores;
        var (queries, keys) = (scores[2], scores[3]);
        long[] full = [.. Enumerable.Repeat(1L, 4 - mask.Dims.Length), .. mask.Dims];
        var ofRows = full[3] == keys
            ? mask.ToFloat32().Chunk((int)keys).Select(row => Seen(row)).ToArray()
            : [.. Enumerable.Repeat(keys, (int)(full[0] * full[1] * full[2]))];
        _seen = [.. Enumerable.Range(0, (int)Tiles(queries, Block)).Select(block => ofRows.Index()
            .Where(row => full[2] == 1 || row.Index % full[2] / Block == block).Max(static row => row.Item))];
    }

    /// <summary>How many numbers a head has.</summary>
    public long Count => _seen.Sum(static keys => Filled(keys) * Block);

    /// <summary>P [batch, heads, queries, keys] → [batch, heads, numbers].</summary>
    public Value Pack(GraphBuilder g, Value p) => _seen.Length == 0
        ? g.ReshapeTo(p, g.Int64(_scores[0], _scores[1], 0))
        : g.Concat(2, [.. _seen.Select((keys, block) =>
        {
            var (first, behind) = Queries(block);
            var part = g.Op("Slice", p, g.Int64(first, 0), g.Int64(behind, keys), g.Int64(2, 3));
            var zeros = g.Int64(0, 0, 0, 0, 0, 0, first + Block - behind, Filled(keys) - keys);
            var turned = g.Transpose(g.Op("Pad", part, zeros), 0, 1, 3, 2);
            return g.ReshapeTo(turned, g.Int64(_scores[0], _scores[1], Filled(keys) * Block));
        })]);

    /// <summary>The way back.</summary>
    public Value Unpack(GraphBuilder g, Value packed)
    {
        var start = 0L;
        return g.Concat(2, [.. _seen.Select((keys, block) =>
        {
            var (first, behind) = Queries(block);
            var count = Filled(keys) * Block;
            var part = g.Op("Slice", packed, g.Int64(start), g.Int64(start += count), g.Int64(2));
            var turned = g.Transpose(
                g.ReshapeTo(part, g.Int64(_scores[0], _scores[1], Filled(keys), Block)), 0, 1, 3, 2);
            var known = Math.Min(Filled(keys), _scores[3]);
            var there = g.Op("Slice", turned, g.Int64(0, 0), g.Int64(behind - first, known), g.Int64(2, 3));
            return g.Op("Pad", there, g.Int64(0, 0, 0, 0, 0, 0, 0, _scores[3] - known));
        })]);
    }

    private static long Seen(float[] row)
    {
        var seen = Array.FindLastIndex(row, static m => m > Hidden) + 1;
        return seen == 0 ? row.Length : row.Length - ((row.Length - seen) / Vector * Vector);
    }

    private static long Filled(long keys) => Tiles(keys, Tile) * Tile;

    private static long Tiles(long count, long size) => (count + size - 1) / size;

    private (long First, long Behind) Queries(int block) =>
        (block * Block, Math.Min((block + 1) * Block, _scores[2]));
}
