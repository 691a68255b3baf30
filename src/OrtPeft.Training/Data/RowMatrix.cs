using System.Runtime.InteropServices;
using OrtPeft.Runtime.Feeding;
using OrtPeft.Tensors;
using OrtPeft.Tensors.Storage;

namespace OrtPeft.Training.Data;

/// <summary>A matrix of a batch, <c>[rows, columns] int64</c>, which becomes a tensor without a copy.</summary>
internal sealed class RowMatrix
{
    private readonly byte[] _bytes;
    private readonly int _rows;
    private readonly int _columns;

    /// <summary>Zeros.</summary>
    /// <exception cref="SettingException">There are more numbers than an array can have.</exception>
    public RowMatrix(int rows, int columns)
    {
        (_rows, _columns) = (rows, columns);
        _bytes = new byte[checked(FeedSize.Of(rows, columns) * sizeof(long))];
    }

    /// <summary>A row, to be filled before <see cref="ToTensor"/>.</summary>
    public Span<long> this[int row] =>
        MemoryMarshal.Cast<byte, long>(_bytes.AsSpan()).Slice(row * _columns, _columns);

    /// <summary>The matrix, which must not change from then on.</summary>
    public Tensor ToTensor() => new(ElementType.Int64, [_rows, _columns], new MemoryTensorData(_bytes));
}
