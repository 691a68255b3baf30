using OrtPeft.Adapters.Modules;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Quantization;
using OrtPeft.Onnx.Shapes;
using OrtPeft.Tensors;
using OrtPeft.Tensors.Storage;

namespace OrtPeft.Adapters.Tests.Modules;

/// <summary>The row of a token in tables of every type, as they are and turned, whose sides are of odd lengths.</summary>
public sealed class TokenRowTests
{
    private const int Tokens = 7;
    private const int Width = 5;

    [Theory]
    [InlineData(ElementType.Int4, false)]
    [InlineData(ElementType.Int4, true)]
    [InlineData(ElementType.UInt4, false)]
    [InlineData(ElementType.UInt4, true)]
    [InlineData(ElementType.Int8, false)]
    [InlineData(ElementType.Int8, true)]
    [InlineData(ElementType.Float, false)]
    [InlineData(ElementType.Float, true)]
    public void Of_EveryToken_GivesItsNumbers(ElementType type, bool isTurned)
    {
        var model = new Model(21);
        var g = GraphBuilder.Over(model);
        var ids = model.Graph.AddInput("input_ids", ElementType.Int64, [Dim.Named("batch"), Dim.Named("sequence")]);
        var table = g.Constant(Table(type, isTurned), "embed_tokens.weight");
        var rows = g.Gather(isTurned ? g.Transpose(table, 1, 0) : table, ids);

        for (var token = 0; token < Tokens; token++)
        {
            var expected = Enumerable.Range(0, Width).Select(column => (float)Number(type, token, column)).ToArray();
            Assert.Equal(expected, TokenRow.Of(rows, ids, token));
        }
    }

    /// <summary>0 to 15 in an unsigned type, else −8 to 7.</summary>
    private static int Number(ElementType type, int token, int column) =>
        (((token * 3) + (column * 5)) % 16) - (type == ElementType.UInt4 ? 0 : 8);

    private static Tensor Table(ElementType type, bool isTurned)
    {
        var (rows, columns) = isTurned ? (Width, Tokens) : (Tokens, Width);
        var numbers = Enumerable.Range(0, rows * columns)
            .Select(i => isTurned ? Number(type, i % columns, i / columns) : Number(type, i / columns, i % columns)).ToArray();
        if (type == ElementType.Float)
            return Tensor.Of<float>([.. numbers.Select(static n => (float)n)], [rows, columns]);
        var bytes = new byte[type.ByteCount(numbers.Length)];
        foreach (var (i, number) in numbers.Index())
            PackedIntegers.Set(bytes, type, i, number);
        return new Tensor(type, [rows, columns], new MemoryTensorData(bytes));
    }
}
