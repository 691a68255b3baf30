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

    /// <summary>Creates a data set.</summary>
    /// <param name="examples">The rows; at least one.</param>
    /// <exception cref="ArgumentException">There are no rows.</exception>
    public TokenDataset(IReadOnlyList<Example> examples)
    {
        ArgumentNullException.ThrowIfNull(examples);
        if (examples.Count == 0)
            throw new SettingException("The data has no rows.");
        _examples = examples;
        Fingerprint = Hash(examples);
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
    public int LengthOf(int row) => _examples[row].LongestSequence * _examples[row].SequenceStarts.Length;

    /// <inheritdoc/>
    public int SupervisedTokensOf(int row) => _examples[row].SupervisedTokens;

    /// <inheritdoc/>
    public FeedBatch Collate(IReadOnlyList<int> rows)
    {
        ArgumentNullException.ThrowIfNull(rows);
        var batch = Collator.Collate([.. rows.Select(r => _examples[r])]);
        var feeds = new Dictionary<string, Tensor>(StringComparer.Ordinal)
        {
            [DecoderNames.Ids] = Matrix(batch.InputIds, batch),
            [DecoderNames.Mask] = Matrix(batch.AttentionMask, batch),
            [DecoderNames.Labels] = Matrix(batch.Labels, batch),
            [DecoderNames.Positions] = Matrix(batch.PositionIds ?? Counting(batch), batch),
        };
        return new FeedBatch(feeds, batch.SupervisedTokens, batch.AttendedTokens)
        {
            SupervisedFirstTokens = batch.SupervisedFirstTokens,
        };
    }

    private static Example ToExample(ITokenizer tokenizer, string text)
    {
        var place = new DataPlace(null, 0);
        return new RowTokens(tokenizer).Supervised(text).EndOfText().ToExample(place, "text");
    }

    private static Tensor Matrix(long[] values, Batch batch) => Tensor.Of<long>(values, [batch.Rows, batch.Columns]);

    /// <summary>What graphs that want position ids get when the rows have none: 0, 1, 2, … in every row.</summary>
    private static long[] Counting(Batch batch)
    {
        var positions = new long[batch.InputIds.Length];
        for (var i = 0; i < positions.Length; i++)
            positions[i] = i % batch.Columns;
        return positions;
    }

    private static ulong Hash(IReadOnlyList<Example> examples)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var example in examples)
        {
            Append(hash, example.InputIds);
            Append(hash, example.Labels);
            Append(hash, example.AttentionMask);
            Append(hash, example.PositionIds);
        }

        return BinaryPrimitives.ReadUInt64LittleEndian(hash.GetHashAndReset());
    }

    /// <summary>The length goes first, −1 when absent: other cuts of the same numbers are other data.</summary>
    private static void Append(IncrementalHash hash, ImmutableArray<int>? numbers)
    {
        hash.AppendData(BitConverter.GetBytes(numbers?.Length ?? -1));
        if (numbers is { } present)
            hash.AppendData(MemoryMarshal.AsBytes(present.AsSpan()));
    }
}
