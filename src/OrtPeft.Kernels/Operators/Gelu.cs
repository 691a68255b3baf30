using System.Runtime.CompilerServices;
using OrtPeft.Kernels.Functions;
using OrtPeft.Kernels.Layouts;
using OrtPeft.Kernels.Loops;
using OrtPeft.Kernels.Products;

namespace OrtPeft.Kernels.Operators;

/// <summary>
/// GELU's tanh form of a linear layer's product and its bias, alone and within the product before it.
/// </summary>
public static unsafe class Gelu
{
    /// <summary>The operator.</summary>
    public static FusedOp Forward => Activated<TanhGelu>.Forward;

    /// <summary>Its gradient.</summary>
    public static FusedOp Backward => Activated<TanhGelu>.Backward;

    /// <summary>GELU of a tile of a product, which stays as it is.</summary>
    [SkipLocalsInit]
    internal static void Activate(in ProductPlan plan, in FinishedTile tile)
    {
        if (tile.Strip == null)
        {
            var y = new StridedRows(plan.Finished + tile.Place, (nint)plan.Columns);
            Map<Activated<TanhGelu>.OfSum>(in plan, in tile, tile.Sums, y, streams: true);
            return;
        }

        var rows = stackalloc float[StripOrder.Numbers];
        Map<Activated<TanhGelu>.OfSum>(
            in plan, in tile, tile.Sums, new StridedRows(rows, PackedMatrix.Width), streams: false);
        StripOrder.Stream(rows, in tile);
    }

    /// <summary>A tile of a product times GELU's slope.</summary>
    [SkipLocalsInit]
    internal static void MultiplySlope(in ProductPlan plan, in FinishedTile tile)
    {
        var hidden = new StridedRows(plan.Hidden + tile.Place, (nint)plan.Columns);
        if (tile.Strip == null)
        {
            Map<Activated<TanhGelu>.GradientOfSum>(in plan, in tile, hidden, tile.Sums, streams: false);
            return;
        }

        var rows = stackalloc float[StripOrder.Numbers];
        Map<Activated<TanhGelu>.GradientOfSum>(
            in plan, in tile, hidden, new StridedRows(rows, PackedMatrix.Width), streams: false);
        StripOrder.Put(rows, in tile);
    }

    private static void Map<TFunction>(
        in ProductPlan plan, in FinishedTile tile, StridedRows second, StridedRows y, bool streams)
        where TFunction : ITernaryFunction => VectorLoops.MapRows<TFunction>(
            tile.Sums, second, plan.HiddenBias + tile.Column, y, tile.Rows, tile.Columns, streams);
}
