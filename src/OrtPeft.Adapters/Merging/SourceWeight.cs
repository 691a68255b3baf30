using System.Diagnostics;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Passes;
using OrtPeft.Onnx.Quantization;
using OrtPeft.Tensors;
using OrtPeft.Tensors.Storage;

namespace OrtPeft.Adapters.Merging;

/// <summary>A quantised weight as a graph has it, which can take other numbers.</summary>
internal abstract class SourceWeight
{
    /// <summary>Whether the weight's scheme can be kept.</summary>
    public abstract bool CanBeRequantized { get; }

    /// <summary>The columns of the numbers.</summary>
    public int Columns => (int)Dims[1];

    /// <summary>Rows and columns of the numbers.</summary>
    public abstract long[] Dims { get; }

    /// <summary>The type of the numbers that it stands for.</summary>
    public abstract ElementType FloatType { get; }

    /// <summary>Finds the weight behind a node.</summary>
    /// <param name="node">What reads the integers.</param>
    /// <param name="integers">The integers.</param>
    /// <returns>The weight, or null where the node is of another kind.</returns>
    public static SourceWeight? Of(Node node, Value integers)
    {
        if (node is { OpType: "MatMulNBits", Domain: "com.microsoft" } && node.Input(1) == integers)
            return BlockMatMul.Of(node) is { } product ? new Product(node, product) : null;
        if (node is { OpType: "MatMulBnb4", Domain: "com.microsoft" } && node.Input(1) == integers)
            return Bnb4Form.Of(node) is { } form ? new Codes(node, form) : null;
        return node.Is("DequantizeLinear") && node.Input(0) == integers && WithFloatScales(node) is { } weight
            ? new Weight(node, weight)
            : null;
    }

    /// <summary>The numbers, row-major.</summary>
    public abstract float[] Numbers();

    /// <summary>Takes numbers of its <see cref="FloatType"/>: the weight is no longer quantised.</summary>
    public abstract void BecomeFloat(GraphBuilder g, Tensor numbers);

    /// <summary>Takes numbers in the weight's scheme.</summary>
    /// <returns>What rounding lost, relative to the change.</returns>
    public abstract double Requantize(GraphBuilder g, float[] numbers);

    private static QuantizedTensor? WithFloatScales(Node node)
    {
        if (node.Input(1)?.Constant is not { } scales || !scales.Type.IsFloating())
            return null;
        if (scales.Type == ElementType.Float)
            return IntegerWeight.Of(node)?.Content;
        var alone = new Model(21);
        var inputs = node.Inputs.Select((input, i) => input?.Constant is { } c
            ? alone.Graph.AddInitializer($"{i}", i == 1 ? c.Widened() : c)
            : null);
        return IntegerWeight.Of(
            alone.Graph.AddNode("DequantizeLinear", [.. inputs], ["y"], [.. node.Attributes]))?.Content;
    }

    /// <summary>Gives a node other constants in some places; what others read too stays for them.</summary>
    private static void Set(GraphBuilder g, Node node, int index, Tensor content)
    {
        var old = node.Inputs[index]!;
        if (old.Uses.Count == 1 && old.Initializer is not null)
        {
            g.Graph.SetInitializer(old, content.WithName(old.Name));
            return;
        }

        var name = g.Graph.FreshName(old.Name);
        node.SetInput(index, g.Graph.AddInitializer(name, content.WithName(name)));
    }

    private static void RemoveUnread(GraphBuilder g, IEnumerable<Value?> values)
    {
        foreach (var value in values.OfType<Value>().Distinct())
        {
            if (value is { Initializer: not null, Uses.Count: 0, IsGraphInput: false, IsGraphOutput: false })
                g.Graph.Remove(value);
        }
    }

    /// <summary>The weight of a <c>MatMulNBits</c>.</summary>
    private sealed class Product(Node node, BlockMatMul product) : SourceWeight
    {
        private readonly QuantizedTensor? _integers = product.Integers();

        public override bool CanBeRequantized => _integers is not null;

        public override long[] Dims { get; } = [node.Attributes.Int("K", 0), node.Attributes.Int("N", 0)];

        public override ElementType FloatType => node.Inputs[2]!.Constant!.Type;

        public override float[] Numbers() => product.ToFloat32().ToFloat32();

        public override void BecomeFloat(GraphBuilder g, Tensor numbers)
        {
            Value?[] before = [.. node.Inputs];
            var name = g.Graph.FreshName($"{product.Packed.Name}_float");
            var weight = g.Graph.AddInitializer(name, numbers.WithName(name));
            (g.Before, g.Scope) = (node, node.Name);
            var y = g.Op("MatMul", node.Inputs[0], weight);
            Replacement.Put(g, node, node.Input(5) is { } bias ? g.Op("Add", y, bias) : y);
            RemoveUnread(g, before[1..]);
        }

        public override double Requantize(GraphBuilder g, float[] numbers)
        {
            var zeroPoints = node.Input(3)?.Constant;
            var requantizer = new Requantizer(_integers!, product.Bits)
            {
                KeepsScales = zeroPoints is { Type: not ElementType.UInt8 },
                Stored = scale => Narrowing.Stored(scale, FloatType),
            };
            var rounded = requantizer.Of(numbers);
            var (packed, scales, zeros) = product.Pack(rounded);
            var (packedDims, scaleDims) = (product.Packed.Constant!.Dims, node.Inputs[2]!.Constant!.Dims);
            Set(g, node, 1, new Tensor(ElementType.UInt8, packedDims, new MemoryTensorData(packed)));
            Set(g, node, 2, Narrowing.ToTensor(scales, FloatType, scaleDims.AsSpan()));
            if (zeroPoints is { Type: ElementType.UInt8 })
                Set(g, node, 3, new Tensor(ElementType.UInt8, zeroPoints.Dims, new MemoryTensorData(zeros!)));
            return rounded.RelativeError;
        }
    }

    /// <summary>The weight of a <c>MatMulBnb4</c>.</summary>
    private sealed class Codes(Node node, Bnb4Form form) : SourceWeight
    {
        public override bool CanBeRequantized => false;

        public override long[] Dims { get; } = [form.Rows, form.Columns];

        public override ElementType FloatType => node.Inputs[2]!.Constant!.Type;

        public override float[] Numbers() => form.ToFloat32().ToFloat32();

        public override void BecomeFloat(GraphBuilder g, Tensor numbers)
        {
            Value?[] before = [.. node.Inputs];
            var name = g.Graph.FreshName($"{form.Packed.Name}_float");
            var weight = g.Graph.AddInitializer(name, numbers.WithName(name));
            (g.Before, g.Scope) = (node, node.Name);
            Replacement.Put(g, node, g.Op("MatMul", node.Inputs[0], g.Transpose(weight, 1, 0)));
            RemoveUnread(g, before[1..]);
        }

        public override double Requantize(GraphBuilder g, float[] numbers) =>
            throw new UnreachableException("Bug: codes of a book cannot be requantised.");
    }

    /// <summary>The weight that a <c>DequantizeLinear</c> makes.</summary>
    private sealed class Weight(Node node, QuantizedTensor weight) : SourceWeight
    {
        public override bool CanBeRequantized => weight.CodeBook is null;

        public override long[] Dims { get; } = [.. weight.Values.Dims];

        public override ElementType FloatType => Scales.Type;

        private Tensor Scales => node.Inputs[1]!.Constant!;

        public override float[] Numbers() => weight.ToFloat32().ToFloat32();

        public override void BecomeFloat(GraphBuilder g, Tensor numbers)
        {
            Value?[] before = [.. node.Inputs];
            var output = node.Output;
            var name = output.Name;
            g.Graph.Rename(output, g.Graph.FreshName($"{name}_quantized"));
            g.Graph.ReplaceAllUsesWith(output, g.Graph.AddInitializer(name, numbers.WithName(name)));
            g.Graph.Remove(node);
            RemoveUnread(g, before);
        }

        public override double Requantize(GraphBuilder g, float[] numbers)
        {
            var requantizer = new Requantizer(weight, weight.Bits)
            {
                KeepsScales = Scales.Count != weight.Scales.Count,
                Stored = scale => Narrowing.Stored(scale, Scales.Type),
            };
            var rounded = requantizer.Of(numbers);
            Set(g, node, 0, rounded.Values);
            if (requantizer.KeepsScales)
                return rounded.RelativeError;
            Set(g, node, 1, Narrowing.ToTensor(rounded.Scales.ToFloat32(), Scales.Type, Scales.Dims.AsSpan()));
            if (node.Input(2)?.Constant is { } zeros)
                Set(g, node, 2, new Tensor(zeros.Type, zeros.Dims, rounded.ZeroPoints!.Data));
            return rounded.RelativeError;
        }
    }
}
