using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using OrtPeft.Kernels.Native;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Passes;
using OrtPeft.Tensors;
using static OrtPeft.Onnx.Building.Formula;

namespace OrtPeft.Kernels.Operators;

/// <summary>Dropout by the hash of a seed, forward and backward alike: Y = X · scale where the element's bits reach the
/// threshold, else 0. Where X is rows that were picked from others, their places among those tell the elements.</summary>
/// <seealso cref="SeededBits"/>
public static unsafe class SeededDropout
{
    /// <summary>The operator.</summary>
    public static FusedOp Forward { get; } = new()
    {
        Name = "SeededDropout",
        Signature = OpSignature.Parse(
            "X~[..., n], first:uint32[], second:uint32[], threshold:uint32[], scale[], places?:int64[m] → Y[..., n]"),
        Lower = LowerForward,
        Run = RunForward,
        RunsInPlace = true,
        IsPass = true,
    };

    /// <summary>Puts it in the place of the standard nodes, in a graph that has been differentiated.</summary>
    /// <param name="g">The graph's builder.</param>
    public static void Run(GraphBuilder g)
    {
        ArgumentNullException.ThrowIfNull(g);
        foreach (var where in g.Graph.Nodes.Where(static n => n.Is("Where")).ToArray())
        {
            if (MaskOf(where) is not { } mask || where.Inputs[1] is not { Type: ElementType.Float } kept)
                continue;
            // Forward the rows are scaled first, backward their gradient is afterwards.
            var before = Scaled(kept);
            var after = before is null ? ScaledLater(where.Output) : null;
            var last = after?.Product ?? where;
            (g.Before, g.Scope) = (last, where.Name);
            var x = before?.X ?? kept;
            Value?[] inputs =
            [
                x, mask.Keys.First, mask.Keys.Second, mask.Threshold,
                before?.Scale ?? after?.Scale ?? g.Scalar(ElementType.Float, 1), mask.Places,
            ];
            if (Forward.Signature.Fits(inputs) && x.Shape is { Rank: > 0 } shape
                && where.Inputs[0]!.Shape is { } ofMask && shape.SurelyEquals(ofMask))
                Replacement.Put(g, last, Forward.Apply(g, inputs));
        }

        (g.Before, g.Scope) = (null, "");
    }

    /// <summary>The condition that decides where a node keeps its second input, if the others become zeros.</summary>
    private static ((Value First, Value Second) Keys, Value Threshold, Value? Places)? MaskOf(Node where)
    {
        if (where.Inputs[2]?.Constant is not { Count: 1 } other || other.ToFloat32()[0] != 0)
            return null;
        var (mask, places) = Picked(where.Inputs[0]!);
        while (mask.Producer is { } reshape && reshape.Is("Reshape"))
            mask = reshape.Inputs[0]!;
        return mask.Producer is { } reaches && reaches.Is("GreaterOrEqual")
            && SeededBits.KeysOf(reaches.Inputs[0]!) is { } keys
                ? (keys, reaches.Inputs[1]!, places)
                : null;
    }

    /// <summary>The matrix whose rows others are, and their places in it.</summary>
    private static (Value Mask, Value? Places) Picked(Value rows) =>
        rows.Producer is { } gather && gather.Is("Gather") && gather.Attributes.Int("axis", 0) == 0
        && gather.Inputs[0] is { Shape.Rank: 2 } matrix && gather.Inputs[1] is { Type: ElementType.Int64, Shape.Rank: 1 } places
            ? (matrix, places)
            : (rows, null);

    /// <summary>The factors of a product with one number that nothing else reads.</summary>
    private static (Value X, Value Scale)? Scaled(Value value) =>
        value.Producer is { } mul && mul.Is("Mul") && value.Uses.Count == 1 && !value.IsGraphOutput
        && mul.Inputs[1] is { Shape.Rank: 0 } scale
            ? (mul.Inputs[0]!, scale)
            : null;

    /// <summary>The product with one number that is all that reads a value.</summary>
    private static (Node Product, Value Scale)? ScaledLater(Value value) =>
        value is { IsGraphOutput: false, Uses: [{ Node: var mul, Index: 0 }] } && mul.Is("Mul")
        && mul.Inputs[1] is { Shape.Rank: 0 } scale
            ? (mul, scale)
            : null;

    private static IReadOnlyList<Value?> LowerForward(LoweringContext c)
    {
        var x = c.X(0);
        var places = c.Node.Input(5) is { } rows ? c.G.Term(rows) : (Term?)null;
        var (bits, shape) = SeededBits.Of(x, c.Node.Inputs[1]!, c.Node.Inputs[2]!, places);
        return [Where(SeededBits.Reached(bits, c.Node.Inputs[3]!, shape), x * c.Node.Inputs[4]!, 0)];
    }

    private static void RunForward(KernelCall call)
    {
        var work = new Work
        {
            X = call.Input<float>(0),
            First = *call.Input<uint>(1),
            Second = *call.Input<uint>(2),
            Threshold = *call.Input<uint>(3),
            Scale = *call.Input<float>(4),
            Places = Places(call),
            Y = call.Output(0, call.Dims(0)),
            N = call.RowLength(0),
        };
        call.Share(in work, &Row, call.Rows(0));
    }

    private static long* Places(KernelCall call)
    {
        if (!call.Has(5))
            return null;
        KernelShapes.RequireVector(call.Rows(0), call.Dims(5));
        return call.Input<long>(5);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Row(in Work work, long row)
    {
        var start = row * work.N;
        var x = work.X + start;
        var y = work.Y + start;
        var (scale, threshold) = (Vector512.Create(work.Scale), Vector512.Create(work.Threshold));
        var first = work.Places == null ? start : work.Places[row] * work.N;
        var element = Vector512.Create((uint)first) + Vector512<uint>.Indices;
        var i = 0;
        for (; i <= work.N - Vector512<float>.Count; i += Vector512<float>.Count)
        {
            var keeps = Vector512.GreaterThanOrEqual(Bits(element, work.First, work.Second), threshold).AsSingle();
            Vector512.Store(Vector512.ConditionalSelect(keeps, Vector512.Load(x + i) * scale, Vector512<float>.Zero), y + i);
            element += Vector512.Create((uint)Vector512<float>.Count);
        }

        var bits = Bits(element, work.First, work.Second);
        for (var rest = 0; i < work.N; i++, rest++)
            y[i] = bits[rest] >= work.Threshold ? x[i] * work.Scale : 0;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<uint> Bits(Vector512<uint> element, uint first, uint second)
    {
        var hash = (element * SeededBits.Spread) + Vector512.Create(first);
        hash = Round(hash, SeededBits.Factors[0], second);
        hash = Round(hash, SeededBits.Factors[1], second);
        hash = Round(hash, SeededBits.Factors[2], second);
        return hash + (hash >>> 16);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<uint> Round(Vector512<uint> hash, uint factor, uint second)
    {
        var high = hash >>> 16;
        return ((hash + high) * factor) + (high * high) + Vector512.Create(second);
    }

    private struct Work
    {
        public float* X, Y;
        public long* Places;
        public uint First, Second, Threshold;
        public float Scale;
        public int N;
    }
}
