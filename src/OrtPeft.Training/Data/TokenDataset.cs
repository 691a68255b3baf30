using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using OrtPeft.Onnx.Decoders;
using OrtPeft.Tensors;
using OrtPeft.Tokenizers;

namespace OrtPeft.Training.Data;

/// <summary>Token rows for a causal language model, right-padded to the longest of a batch.</summary>
public sealed class TokenDataset : IDataset
{
    private readonly IReadOnlyList<Example> _examples;
    private readonly int[] _lengths;
    private readonly int[] _supervised;

    /// <summary>Creates a data set.</summary>
    /// <param name="examples">The rows; at least one. Each is asked for anew when it is needed: a <see cref="RowStore"/>
    /// keeps many out of memory.</param>
    /// <exception cref="ArgumentException">There are no rows.</exception>
    public TokenDataset(IReadOnlyList<Example> examples)
    {
        ArgumentNullException.ThrowIfNull(examples);
        if (examples.Count == 0)
            throw new SettingException("The data has no rows.");
        _examples = examples;
        (_lengths, _supervised) = (new int[examples.Count], new int[examples.Count]);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var (row, example) in examples.Index())
        {
            _lengths[row] = example.LongestSequence * example.SequenceStarts.Length;
            _supervised[row] = example.SupervisedTokens;
            Append(hash, example.InputIds);
            Append(hash, example.Labels);
            Append(hash, example.AttentionMask);
            Append(hash, example.PositionIds);
        }

        Fingerprint = BinaryPrimitives.ReadUInt64LittleEndian(hash.GetHashAndReset());
    }

    /// <summary>
    /// Creates a data set of texts, every token supervised, each text closed by the end-of-text token.
    /// </summary>
    /// <param name="tokenizer">The model's tokenizer.</param>
    /// <param name="texts">The texts; at least one.</param>
    /// <returns>The data set.</returns>
    public static TokenDataset FromTexts(ITokenizer tokenizer, params IEnumerable<string> texts)
    {
        ArgumentNullException.ThrowIfNull(tokenizer);
        ArgumentNullException.ThrowIfNull(texts);
        return new TokenDataset([.. texts.Select(text => ToExample(tokenizer, text))]);
    }

    /// <inheritdoc/>
    public int RowCount => _examples.Count;

    /// <inheritdoc/>
    public ulong Fingerprint { get; }

    /// <inheritdoc/>
    public int LengthOf(int row) => _lengths[row];

    /// <inheritdoc/>
    public int SupervisedTokensOf(int row) => _supervised[row];

    /// <inheritdoc/>
    public Batch Collate(IReadOnlyList<int> rows)
    {
        ArgumentNullException.ThrowIfNull(rows);
        var batch = Collator.Collate([.. rows.Select(r => _examples[r])]);
        return batch.Feeds.ContainsKey(DecoderNames.Positions) ? batch : batch with
        {
            Feeds = new Dictionary<string, Tensor>(batch.Feeds, StringComparer.Ordinal)
            {
                [DecoderNames.Positions] = Counting(batch.Feeds[DecoderNames.Ids].Dims),
            },
        };
    }

    private static Example ToExample(ITokenizer tokenizer, string text)
    {
        var place = new DataPlace(null, 0);
        return new RowTokens(tokenizer).Supervised(text).EndOfText().ToExample(place, "text");
    }

    /// <summary>Position ids for graphs that want them when the rows have none: 0, 1, 2, … in every row.</summary>
    private static Tensor Counting(ImmutableArray<long> dims)
    {
        var (rows, columns) = ((int)dims[0], (int)dims[1]);
        var positions = new RowMatrix(rows, columns);
        for (var row = 0; row < rows; row++)
        {
            for (var column = 0; column < columns; column++)
                positions[row][column] = column;
        }

        return positions.ToTensor();
    }

    /// <summary>The length goes first, −1 when absent: other cuts of the same numbers are other data.</summary>
    private static void Append(IncrementalHash hash, ImmutableArray<int>? numbers)
    {
        hash.AppendData(BitConverter.GetBytes(numbers?.Length ?? -1));
        if (numbers is { } present)
            hash.AppendData(MemoryMarshal.AsBytes(present.AsSpan()));
    }
}
