using OrtPeft.Kernels.Layouts;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;

namespace OrtPeft.Kernels.Tests;

/// <summary>
/// The order in which product kernels hand rows [rows, columns] over to each other: blocks of 384 columns, each strip
/// after strip of 8 rows, each column after column; zeros fill strips and squares up.
/// </summary>
/// <param name="rows">How many rows there are.</param>
/// <param name="columns">Their length.</param>
internal sealed class StripRows(long rows, long columns)
{
    private const long Block = 384;
    private const long Strip = 8;

    private readonly long _strips = (rows + Strip - 1) / Strip;
    private readonly long _filled = PackedMatrix.Panels(columns) * PackedMatrix.Width;

    /// <summary>The axes of rows in this order.</summary>
    public long[] Dims => [_filled, _strips, Strip];

    /// <summary>X [..., columns] → X in this order.</summary>
    public Value Pack(GraphBuilder g, Value x)
    {
        var pads = g.Int64(0, 0, (_strips * Strip) - rows, _filled - columns);
        var filled = g.Op("Pad", g.ReshapeTo(x, g.Int64(rows, columns)), pads);
        var blocks = Blocks().Select(block =>
        {
            var part = g.Op("Slice", filled, g.Int64(block.Start), g.Int64(block.End), g.Int64(1));
            var strips = g.ReshapeTo(part, g.Int64(_strips, Strip, block.End - block.Start));
            return g.ReshapeTo(g.Transpose(strips, 0, 2, 1), g.Int64(-1));
        });
        return g.ReshapeTo(g.Concat(0, [.. blocks]), g.Int64(Dims));
    }

    /// <summary>The way back, to [rows, columns].</summary>
    public Value Unpack(GraphBuilder g, Value packed)
    {
        var numbers = g.ReshapeTo(packed, g.Int64(-1));
        var blocks = Blocks().Select(block =>
        {
            var (start, end) = (block.Start * _strips * Strip, block.End * _strips * Strip);
            var part = g.Op("Slice", numbers, g.Int64(start), g.Int64(end), g.Int64(0));
            var strips = g.ReshapeTo(part, g.Int64(_strips, block.End - block.Start, Strip));
            return g.ReshapeTo(g.Transpose(strips, 0, 2, 1), g.Int64(_strips * Strip, block.End - block.Start));
        });
        return g.Op("Slice", g.Concat(1, [.. blocks]), g.Int64(0, 0), g.Int64(rows, columns), g.Int64(0, 1));
    }

    private IEnumerable<(long Start, long End)> Blocks()
    {
        for (var start = 0L; start < _filled; start += Block)
            yield return (start, Math.Min(start + Block, _filled));
    }
}
