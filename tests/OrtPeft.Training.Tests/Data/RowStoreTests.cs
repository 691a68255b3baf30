using System.Collections.Immutable;
using OrtPeft.Onnx.Decoders;
using OrtPeft.Training.Data;
using OrtPeft.Training.Tests.Runs;

namespace OrtPeft.Training.Tests.Data;

/// <summary>Rows come back from a file as they went in.</summary>
public sealed class RowStoreTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(40)]
    [InlineData(long.MaxValue)]
    public void Of_RowsOfAllForms_KeepsEachNumber(long tokensInMemory)
    {
        Example[] rows = [.. Enumerable.Range(0, 300).Select(Row)];

        var store = RowStore.Of(rows, tokensInMemory);

        Assert.Equal(tokensInMemory < long.MaxValue, store.IsOnDisk);
        Assert.Equal(rows.Length, store.Count);
        foreach (var (expected, actual) in rows.Zip(store))
            Same(expected, actual);
        for (var i = rows.Length - 1; i >= 0; i--)
            Same(rows[i], store[i]);
        Assert.Equal(new TokenDataset(rows).Fingerprint, new TokenDataset(store).Fingerprint);
    }

    /// <summary>More than is written at once.</summary>
    [Fact]
    public void Of_LongRows_KeepsEachNumber()
    {
        ImmutableArray<int> ids = [.. Enumerable.Range(0, 1_000_001)];
        Example[] rows = [.. Enumerable.Repeat(new Example(ids, ids), 3), Row(1)];

        var store = RowStore.Of(rows, tokensInMemory: 0);

        foreach (var (expected, actual) in rows.Zip(store))
            Same(expected, actual);
    }

    [Fact]
    public void Select_Rows_TakesThemInTheirOrder()
    {
        Example[] rows = [.. Enumerable.Range(0, 9).Select(Row)];

        var some = RowStore.Of(rows, tokensInMemory: 0).Select([7, 0, 7]);

        Assert.Equal(3, some.Count);
        Same(rows[7], some[0]);
        Same(rows[0], some[1]);
        Assert.Equal([rows[7].Length, rows[0].Length, rows[7].Length], some.Select(static r => r.Length));
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(4)]
    public void Index_OfNoRow_IsAnError(int index)
    {
        var store = RowStore.Of(Enumerable.Range(0, 4).Select(Row), tokensInMemory: 0);

        Assert.Throws<ArgumentOutOfRangeException>(() => store[index]);
    }

    [Fact]
    public void Index_FromManyThreads_GivesTheRows()
    {
        Example[] rows = [.. Enumerable.Range(0, 200).Select(Row)];
        var store = RowStore.Of(rows, tokensInMemory: 0);

        Parallel.For(0, 2000, i => Same(rows[i % rows.Length], store[i % rows.Length]));
    }

    /// <summary>Training reads rows from the file in each epoch, and learns the same.</summary>
    [Fact]
    public void Train_OnRowsInAFile_GivesTheSameBits()
    {
        var (inMemory, onDisk) = (Tiny.Lora(), Tiny.Lora());

        var expected = Tiny.Run(inMemory, Tiny.Arguments);
        var actual = Tiny.Run(onDisk, Tiny.Arguments, new TokenDataset(RowStore.Of(Tiny.Rows, tokensInMemory: 0)));

        Assert.Equal(expected.Select(static s => s.Loss), actual.Select(static s => s.Loss));
        Assert.Equal(Tiny.Numbers(inMemory), Tiny.Numbers(onDisk));
    }

    private static Example Row(int number)
    {
        var random = new Random(number);
        var length = 2 + random.Next(9);
        ImmutableArray<int> ids = [.. Enumerable.Range(0, length).Select(_ => random.Next())];
        var labels = (number % 4) switch
        {
            0 => ids,
            1 => [.. ids.Select((id, i) => i % 3 == 0 ? DecoderLabels.Ignored : id)],
            2 => [.. ids.Select(id => random.Next())],
            _ => [.. ids],
        };
        ImmutableArray<int>? mask = number % 5 == 0 ? [.. ids.Select(static (_, i) => i == 0 ? 0 : 1)] : null;
        ImmutableArray<int>? positions = number % 7 == 0 ? [.. ids.Select(static (_, i) => i)] : null;
        return new Example(ids, labels, mask, positions)
        {
            File = number % 3 == 0 ? null : $"file {number % 2}",
            Line = number,
            Form = number % 2 == 0 ? RowForm.Template : RowForm.Other,
            LearnsLastTurnOnly = number % 6 == 0,
        };
    }

    private static void Same(Example expected, Example actual)
    {
        Assert.Equal(expected.InputIds.AsEnumerable(), actual.InputIds.AsEnumerable());
        Assert.Equal(expected.Labels.AsEnumerable(), actual.Labels.AsEnumerable());
        Assert.Equal(expected.AttentionMask?.AsEnumerable(), actual.AttentionMask?.AsEnumerable());
        Assert.Equal(expected.PositionIds?.AsEnumerable(), actual.PositionIds?.AsEnumerable());
        Assert.Equal(
            (expected.File, expected.Line, expected.Form, expected.LearnsLastTurnOnly),
            (actual.File, actual.Line, actual.Form, actual.LearnsLastTurnOnly));
    }
}
