using System.Text;
using FsCheck;
using FsCheck.Fluent;
using OrtPeft.Training.Data;

namespace OrtPeft.Training.Tests.Data;

public sealed class ExampleReaderFuzzTests
{
    private const string Valid = """
        {"input_ids":[5,6,7],"labels":[-100,6,7],"attention_mask":[0,1,1],"position_ids":[0,0,1]}
        {"prompt":"Qué:","completion":"y\u00e9s","extra":{"a":[1,2.5e3,null,true]}}
        {"messages":[{"role":"user","content":"hi \ud83d\ude00"},{"role":"assistant","content":"b"}]}
        {"te\u0078t":"ab\nc"}
        """;

    private static readonly byte[] Interesting = [.. "\"\\{}[],:0189-+.eEun \t\r\n"u8, 0, 0x7F, 0x80, 0xC3, 0xED, 0xFF];

    private static readonly ExampleReaderOptions Limits = new() { ContextLength = 64, VocabularySize = 256 };

    private static readonly Gen<Func<byte[], byte[]>> Mutation = Gen.OneOf(
        Gen.Two(Gen.Choose(0, 999)).Select<(int, int), Func<byte[], byte[]>>(pair => bytes => Replace(bytes, pair)),
        Gen.Two(Gen.Choose(0, 999)).Select<(int, int), Func<byte[], byte[]>>(pair => bytes => Cut(bytes, pair)),
        Gen.Two(Gen.Choose(0, 999)).Select<(int, int), Func<byte[], byte[]>>(pair => bytes => Insert(bytes, pair)),
        Gen.Two(Gen.Choose(0, 999)).Select<(int, int), Func<byte[], byte[]>>(pair => bytes => Escape(bytes, pair)));

    [Fact]
    public void Read_WhenRowsAreMutated_ParsesOrThrowsItsOwnException()
    {
        var parsesOrThrows = Prop.ForAll(Mutation.NonEmptyListOf().ToArbitrary(), mutations =>
        {
            var valid = Encoding.UTF8.GetBytes(Valid);
            var content = mutations.Take(6).Aggregate(valid, (bytes, mutate) => mutate(bytes));
            try
            {
                return Rows.Read(content, new CharTokenizer(), Limits).TrueForAll(IsSound);
            }
            catch (TrainingDataException error)
            {
                return error.File == "rows.jsonl" && !error.Message.Contains('\n', StringComparison.Ordinal);
            }
        });

        parsesOrThrows.Check(Config.QuickThrowOnFailure.WithMaxTest(5000).WithReplay(20, 7));
    }

    [Fact]
    public void Read_WhenFileIsTruncated_ParsesOrThrowsItsOwnException()
    {
        var content = Encoding.UTF8.GetBytes(Valid);

        for (var length = 0; length < content.Length; length++)
        {
            var error = Record.Exception(() => Rows.Read(content[..length], new CharTokenizer(), Limits));
            Assert.True(error is null or TrainingDataException, $"{length}: {error}");
        }
    }

    private static bool IsSound(Example example) =>
        example.Length is > 0 and <= 64
        && example.InputIds.All(id => id is >= 0 and < 256)
        && example.Labels.All(label => label is -100 or (>= 0 and < 256));

    private static byte[] Replace(byte[] bytes, (int Place, int Value) at)
    {
        byte[] changed = [.. bytes];
        if (changed.Length > 0)
            changed[at.Place % changed.Length] = Interesting[at.Value % Interesting.Length];
        return changed;
    }

    private static byte[] Cut(byte[] bytes, (int Place, int Length) at)
    {
        var start = at.Place % (bytes.Length + 1);
        var end = Math.Min(bytes.Length, start + at.Length % 12);
        return [.. bytes[..start], .. bytes[end..]];
    }

    private static byte[] Insert(byte[] bytes, (int Place, int Value) at)
    {
        var start = at.Place % (bytes.Length + 1);
        return [.. bytes[..start], Interesting[at.Value % Interesting.Length], .. bytes[start..]];
    }

    private static byte[] Escape(byte[] bytes, (int Place, int Value) at)
    {
        var start = at.Place % (bytes.Length + 1);
        return [.. bytes[..start], .. at.Value % 2 == 0 ? "\\ud800"u8 : "\\u0022"u8, .. bytes[start..]];
    }
}
