using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using OrtPeft.Tensors;

namespace OrtPeft.Training.Data;

/// <summary>Rows of numbers by input name, all of one shape: for models that are not language models.</summary>
public sealed class TensorDataset : IDataset
{
    private readonly IReadOnlyDictionary<string, float[][]> _columns;
    private readonly long _predictionsPerRow;

    /// <summary>Creates a data set.</summary>
    /// <param name="columns">Rows by input name; <c>target</c> holds what the output should be. All of equal row
    /// count.</param>
    /// <exception cref="ArgumentException">There is no <c>target</c>, or the columns differ in their number of
    /// rows.</exception>
    public TensorDataset(IReadOnlyDictionary<string, float[][]> columns)
    {
        ArgumentNullException.ThrowIfNull(columns);
        if (!columns.TryGetValue("target", out var targets) || targets.Length == 0)
            throw new ArgumentException("The data needs rows of 'target': what the output should be.", nameof(columns));
        if (columns.FirstOrDefault(c => c.Value.Length != targets.Length) is { Key: { } name, Value: var rows })
            throw new ArgumentException(
                $"'{name}' has {rows.Length} rows, 'target' has {targets.Length}.", nameof(columns));
        _columns = columns;
        _predictionsPerRow = targets[0].Length;
        Fingerprint = Hash(columns);
    }

    /// <inheritdoc/>
    public int RowCount => _columns["target"].Length;

    /// <inheritdoc/>
    public ulong Fingerprint { get; }

    /// <inheritdoc/>
    public int LengthOf(int row) => 1;

    /// <inheritdoc/>
    public int SupervisedTokensOf(int row) => 1;

    /// <inheritdoc/>
    public Batch Collate(IReadOnlyList<int> rows)
    {
        ArgumentNullException.ThrowIfNull(rows);
        var feeds = _columns.ToDictionary(
            static c => c.Key,
            c => Tensor.Of<float>([.. rows.SelectMany(r => c.Value[r])], [rows.Count, c.Value[0].Length]),
            StringComparer.Ordinal);
        return new Batch(feeds, rows.Count * _predictionsPerRow, rows.Count);
    }

    private static ulong Hash(IReadOnlyDictionary<string, float[][]> columns)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var column in columns.OrderBy(static c => c.Key, StringComparer.Ordinal))
        {
            hash.AppendData(Encoding.UTF8.GetBytes($"{column.Key}\n"));
            foreach (var row in column.Value)
                hash.AppendData(MemoryMarshal.AsBytes(row.AsSpan()));
        }

        return BinaryPrimitives.ReadUInt64LittleEndian(hash.GetHashAndReset());
    }
}
