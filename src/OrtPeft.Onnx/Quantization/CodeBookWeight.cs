using System.Collections.Immutable;
using OrtPeft.Onnx.Building;
using OrtPeft.Tensors;

namespace OrtPeft.Onnx.Quantization;

/// <summary>
/// A matrix as codes of 4 bits that pick from a code book, block by block. With n blocks along the rows' axis, codes
/// [n, size, columns], scales [n, 1, columns] and the book [16, 1],
/// <code>
/// levels = Mul(scales, DequantizeLinear(book))          16 numbers per block
/// index  = Cast(DequantizeLinear(codes), int32)
/// matrix = Reshape(GatherElements(levels, index, axis = 1), [rows, columns])
/// </code>
/// Blocks along the columns have [rows, n, size], [rows, n, 1], [16] and axis 2.
/// </summary>
/// <remarks>
/// Both inner nodes are <c>DequantizeLinear</c> because ONNX Runtime computes every other operator of constants once
/// and for all, in float32, when a session opens. With <c>Gather</c> in <c>GatherElements</c>' place it takes more than
/// twice as long.
/// </remarks>
internal sealed class CodeBookWeight : QuantizedWeight
{
    /// <summary>
    /// The book is stored in units of 2⁻²⁷: every float32 from 1/16 to 1 is a whole number of them, so that all values
    /// of NF4 come back exactly.
    /// </summary>
    private const float Unit = 1f / (1 << 27);

    private readonly Tensor _codes;
    private readonly Tensor _scales;
    private readonly Value _book;
    private readonly float[] _values;
    private readonly int _axis;

    private CodeBookWeight(Node node, Tensor codes, Tensor scales, Value book, float[] values, int axis)
        : base(node)
    {
        (_codes, _scales, _book, _values, _axis) = (codes, scales, book, values, axis);
    }

    public override ImmutableArray<long> Dims => _axis == 1
        ? [_codes.Dims[0] * _codes.Dims[1], _codes.Dims[2]]
        : [_codes.Dims[0], _codes.Dims[1] * _codes.Dims[2]];

    public override QuantizedTensor Content =>
        new(new Tensor(_codes.Type, Dims, _codes.Data), _scales, ZeroPoints: null, RelativeError: 0)
        {
            Axis = _axis - 1,
            BlockSize = checked((int)_codes.Dims[_axis]),
            CodeBook = new CodeBook("of a graph", _values),
        };

    public override long ByteCount => _codes.Data.Length + _scales.Data.Length;

    /// <summary>Whether there is a scale for each block, nothing shifts codes or book, and the matrix is the blocks side
    /// by side.</summary>
    private bool IsWhole
    {
        get
        {
            var (index, levels) = (Pick.Inputs[1]!.Producer!, Pick.Inputs[0]!.Producer!);
            return _codes.Dims.All(static n => n > 0) && Dims[0] * (Int128)Dims[1] <= Array.MaxLength
                && _scales.Dims.SequenceEqual(_codes.Dims.SetItem(_axis, 1))
                && index.Inputs[0]!.Producer!.Input(2) is null && levels.Inputs[1]!.Producer!.Input(2) is null
                && Node.Input(1)?.Constant is { } dims && dims.ToInt64().SequenceEqual(Dims);
        }
    }

    private Node Pick => Node.Inputs[0]!.Producer!;

    public static CodeBookWeight? Of(Node node)
    {
        if (!node.Is("Reshape") || Producer(node, 0, "GatherElements") is not { } pick
            || Producer(pick, 0, "Mul") is not { } levels || Producer(pick, 1, "Cast") is not { } index
            || Producer(levels, 1, "DequantizeLinear") is not { } book
            || Producer(index, 0, "DequantizeLinear") is not { } codes)
            return null;
        var axis = (int)pick.Attributes.Int("axis", 0);
        var isKnown = axis is 1 or 2
            && codes.Input(0)?.Constant is { Type: ElementType.UInt4, Dims.Length: 3 }
            && codes.Input(1)?.Constant is { Type: ElementType.Float, Count: 1 } one && one.ToFloat32()[0] == 1
            && levels.Input(0)?.Constant is { Type: ElementType.Float, Dims.Length: 3 }
            && book.Input(0)?.Constant is { Type: ElementType.Int32, Count: 16 }
            && book.Input(1)?.Constant is { Type: ElementType.Float, Count: 1 };
        if (!isKnown)
            return null;
        var unit = book.Inputs[1]!.Constant!.ToFloat32()[0];
        float[] values = [.. book.Inputs[0]!.Constant!.ToInt64().Select(v => v * unit)];
        var (codesOf, scales) = (codes.Inputs[0]!.Constant!, levels.Inputs[0]!.Constant!);
        var weight = new CodeBookWeight(node, codesOf, scales, book.Output, values, axis);
        return weight.IsWhole ? weight : null;
    }

    public static Value Add(GraphBuilder g, string name, QuantizedTensor content)
    {
        var (dims, size, axis) = (content.Values.Dims, content.BlockSize, content.Axis + 1);
        var blocks = dims[content.Axis] / size;
        ImmutableArray<long> codeDims = axis == 1 ? [blocks, size, dims[1]] : [dims[0], blocks, size];
        var codes = Part(g, $"{name}_quantized", new Tensor(content.Values.Type, codeDims, content.Values.Data));
        var scales = Part(
            g, $"{name}_scales", new Tensor(ElementType.Float, codeDims.SetItem(axis, 1), content.Scales.Data));
        int[] units = [.. content.CodeBook!.Values.Select(static v => (int)(v / (double)Unit))];
        var stored = g.Constant(Tensor.Of<int>(units, axis == 1 ? [units.Length, 1] : [units.Length]), "book");
        var book = g.Op("DequantizeLinear", stored, g.Scalar(ElementType.Float, Unit));
        return Matrix(g, codes, g.Scalar(ElementType.Float, 1), scales, book, axis, g.Int64(dims.AsSpan()));
    }

    public override Value Again(GraphBuilder g, Value one)
    {
        var (levels, index) = (Pick.Inputs[0]!.Producer!, Pick.Inputs[1]!.Producer!);
        var codes = index.Inputs[0]!.Producer!.Inputs[0]!;
        return Matrix(g, codes, one, levels.Inputs[0]!, g.Mul(_book, one), _axis, Node.Inputs[1]!);
    }

    private static Value Matrix(GraphBuilder g, Value codes, Value one, Value scales, Value book, int axis, Value dims)
    {
        var index = g.Cast(g.Op("DequantizeLinear", codes, one), ElementType.Int32);
        var matrix = g.Op("GatherElements", [g.Mul(scales, book), index], NodeAttribute.Of("axis", (long)axis));
        return g.Op("Reshape", matrix, dims);
    }

    private static Node? Producer(Node node, int input, string opType) =>
        node.Input(input)?.Producer is { } producer && producer.Is(opType) ? producer : null;
}
