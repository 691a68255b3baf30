using FsCheck;
using FsCheck.Fluent;
using OrtPeft.Onnx.Decoders;
using OrtPeft.Training.Data;

namespace OrtPeft.Training.Tests.Data;

public sealed class CollatorTests
{
    private static readonly Gen<Example[]> AnyRows =
        from withPositions in Gen.Elements(true, false)
        from rows in AnyRow(withPositions).NonEmptyListOf()
        select rows.ToArray();

    [Fact]
    public void Collate_WhenRowsDiffer_PadsRight()
    {
        Example[] rows = [new([7, 8, 9], [-100, 8, 9], [0, 1, 1]), new([5], [5])];

        var batch = Collator.Collate(rows, padId: 3);

        Assert.Equal((2, 3), (batch.Rows(), batch.Columns()));
        Assert.Equal([7, 8, 9, 5, 3, 3], batch.InputIds());
        Assert.Equal([0, 1, 1, 1, 0, 0], batch.AttentionMask());
        Assert.Equal([-100, 8, 9, 5, -100, -100], batch.Labels());
        Assert.Null(batch.PositionIds());
        Assert.Equal((2, 3), (batch.SupervisedCount, batch.Tokens));
    }

    [Fact]
    public void Collate_WhenAllRowsHavePositions_PadsThemWithZero()
    {
        Example[] rows = [new([7, 8], [7, 8], null, [4, 5]), new([5], [5], null, [2])];

        var batch = Collator.Collate(rows);

        Assert.Equal([4, 5, 2, 0], batch.PositionIds()!);
    }

    [Fact]
    public void Collate_WhenSomeRowsHavePositions_NamesOneOfEach()
    {
        Example[] rows =
        [
            new([7], [7], null, [4]) { File = "a.jsonl", Line = 2 },
            new([5], [5]) { File = "b.jsonl", Line = 9 },
        ];

        var error = Assert.Throws<TrainingDataException>(() => Collator.Collate(rows));

        Assert.Equal(
            "b.jsonl:9: position_ids: missing, while a.jsonl:2 in the same batch has them; " +
            "give them in every row or in none",
            error.Message);
    }

    [Fact]
    public void Collate_WhenThereIsNoRow_Throws()
    {
        Assert.ThrowsAny<ArgumentException>(() => Collator.Collate([]));
    }

    [Fact]
    public void Collate_WhenPadIdIsNegative_Throws()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => Collator.Collate([new([5], [5])], padId: -1));
    }

    [Fact]
    public void Collate_OnAnyRows_KeepsThemAndPadsTheRest()
    {
        var keepsRows = Prop.ForAll(AnyRows.ToArbitrary(), rows =>
        {
            var batch = Collator.Collate(rows, padId: 1);
            var supervised = Enumerable.Range(0, batch.Labels().Length)
                .Count(i => i % batch.Columns() > 0 && batch.Labels()[i] != DecoderLabels.Ignored);
            return batch.Rows() == rows.Length
                && batch.Columns() == rows.Max(row => row.Length)
                && Agree(batch, batch.InputIds(), rows, (row, i) => row.InputIds[i], 1)
                && Agree(batch, batch.Labels(), rows, (row, i) => row.Labels[i], -100)
                && Agree(batch, batch.AttentionMask(), rows, (row, i) => row.AttentionMask?[i] ?? 1, 0)
                && (batch.PositionIds() is { } positions
                    ? Agree(batch, positions, rows, (row, i) => row.PositionIds!.Value[i], 0)
                    : rows[0].PositionIds is null)
                && batch.SupervisedCount == supervised
                && batch.Tokens == batch.AttentionMask().Sum();
        });

        keepsRows.Check(Config.QuickThrowOnFailure.WithMaxTest(300));
    }

    private static bool Agree(Batch batch, long[] values, Example[] rows, Func<Example, int, long> at, long padding) =>
        values.SequenceEqual(rows.SelectMany(row => Enumerable.Range(0, batch.Columns())
            .Select(i => i < row.Length ? at(row, i) : padding)));

    private static Gen<Example> AnyRow(bool withPositions) =>
        from length in Gen.Choose(1, 9)
        from ids in Gen.Choose(0, 99).ArrayOf(length)
        from labels in Gen.OneOf(Gen.Constant(-100), Gen.Choose(0, 99)).ArrayOf(length)
        from masked in Gen.Elements(true, false)
        from mask in Gen.Choose(0, 1).ArrayOf(length)
        select new Example([.. ids], [.. labels], masked ? [.. mask] : null, withPositions ? [.. Enumerable.Range(ids[0], length)] : null);
}
