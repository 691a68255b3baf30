using System.Buffers.Binary;
using OrtPeft.Artifacts.FlatBuffers;
using OrtPeft.Artifacts.OrtFormats;
using OrtPeft.Tensors;
using OrtPeft.Tensors.Storage;

namespace OrtPeft.Artifacts.Tests.FlatBuffers;

public sealed class FlatBufferTests
{
    [Fact]
    public void Write_OfEveryKindOfField_IsReadBack()
    {
        var written = new FlatTable()
            .Int32(0, -5)
            .Int64(1, long.MinValue)
            .Single(2, float.NaN)
            .Boolean(3, true)
            .Text(4, "größer 🙂")
            .Reference(5, new FlatInt64Vector([1, -2, long.MaxValue]))
            .Reference(6, new FlatByteVector(new MemoryTensorData(new byte[] { 7, 8, 9 })))
            .Reference(7, new FlatVector([new FlatTable().Int32(0, 1), new FlatTable(), new FlatTable().Int32(0, 3)]))
            .Reference(9, new FlatTable().Boolean(0, true));

        var table = Read(written);

        Assert.Equal((-5, long.MinValue), (table.Int32(0, "a"), table.Int64(1, "b")));
        Assert.True(float.IsNaN(table.Single(2, "c")));
        Assert.True(table.Boolean(3, "d"));
        Assert.Equal("größer 🙂", table.Text(4, "e"));
        Assert.Equal([1, -2, long.MaxValue], table.Int64s(5, "f").ToArray());
        Assert.Equal([7, 8, 9], table.Bytes(6, "g")!.Slice(0, 3).ToArray());
        Assert.Equal([1, 0, 3], table.Tables(7, "h")!.Select(static t => t.Int32(0, "x")));
        Assert.True(table.Table(9, "j")!.Boolean(0, "x"));
    }

    [Fact]
    public void Read_OfWhatWasNotWritten_IsTheDefault()
    {
        var table = Read(new FlatTable().Int32(3, 5, absent: 5));

        Assert.Equal((0, -1L, 0f, false), (table.Int32(0, "a"), table.Int64(1, "b", -1), table.Single(2, "c"),
            table.Boolean(9, "d")));
        Assert.Equal(5, table.Int32(3, "e", absent: 5));
        Assert.Null(table.Text(0, "a"));
        Assert.Null(table.Table(0, "a"));
        Assert.Null(table.Tables(0, "a"));
        Assert.Null(table.Bytes(0, "a"));
        Assert.True(table.Int64s(0, "a").IsDefault);
    }

    /// <summary>Header 8, vtable 4, table 4, as small as a flatbuffer with an identifier gets.</summary>
    [Fact]
    public void Write_OfDefaults_TakesNoSpace()
    {
        var bytes = Bytes(new FlatTable().Int32(0, 0).Int64(1, -1, absent: -1).Single(2, 0).Boolean(3, false));

        Assert.Equal(16, bytes.Length);
    }

    [Fact]
    public void Write_OfTablesWithEqualFields_SharesTheirVTable()
    {
        static FlatTable Item(int value) => new FlatTable().Int32(0, value).Text(1, "x");
        var one = Bytes(new FlatTable().Reference(0, new FlatVector([Item(1)])));

        var two = Bytes(new FlatTable().Reference(0, new FlatVector([Item(1), Item(2)])));

        // An offset of 4 bytes, a table of 12 and a text of 6 with 2 of padding; a second vtable would be 8 more.
        Assert.Equal(one.Length + 4 + 12 + 8, two.Length);
    }

    [Fact]
    public void Write_OfManyVectors_AlignsEachAndPutsBytesLast()
    {
        static FlatTable Item(int count) => new FlatTable()
            .Boolean(0, true)
            .Reference(1, new FlatInt64Vector([count]))
            .Reference(2, new FlatByteVector(new MemoryTensorData(new byte[count])))
            .Text(3, new string('x', count));
        using var folder = new OrtPeft.Testing.TemporaryFolder();
        var items = new FlatVector([.. Enumerable.Range(0, 20).Select(Item)]);
        File.WriteAllBytes(folder["b"], Bytes(new FlatTable().Reference(0, items)));

        var tables = FlatBufferReader.Over(MappedFile.Open(folder["b"]), "test").Root("TEST", "t").Tables(0, "i")!;

        var places = tables.Select(static t => ((MappedTensorData)t.Bytes(2, "bytes")!).Offset).ToArray();
        Assert.All(places, static place => Assert.Equal(0, place % 8));
        Assert.Equal(places.Order(), places);
        Assert.Equal(new FileInfo(folder["b"]).Length, places[^1] + 19);
    }

    [Fact]
    public void Write_Of2GiB_SaysSoAndWritesNothing()
    {
        using var target = new MemoryStream();
        var root = new FlatTable().Reference(0, new FlatByteVector(new AbsentTensorData(int.MaxValue)));

        var error = Assert.ThrowsAny<ArgumentException>(
            () => FlatBufferWriter.Write(target, root, "TEST", "big.bin", "do less"));

        Assert.StartsWith(
            "big.bin: would take 2147483679 bytes, and the format's limit is 2147483647; do less.",
            error.Message,
            StringComparison.Ordinal);
        Assert.Equal(0, target.Length);
    }

    public static TheoryData<string, int, uint, string> Damages => new()
    {
        { "root beyond the end", 0, 1000, "root at byte 0 leads 1000 bytes on" },
        { "root at itself", 0, 0, "root at byte 0 leads 0 bytes on" },
        { "negative root", 0, 0x80000000, "root at byte 0 leads 2147483648 bytes on" },
        { "unaligned root", 0, 21, "root at byte 21 is not aligned to 4 bytes" },
        { "another identifier", 4, 0x0a424241, "the identifier at byte 4 is 'ABB?', not 'TEST'" },
        { "odd vtable size", 8, 0x000c_0007, "has a vtable of 7 bytes at 8" },
        { "vtable beyond the end", 8, 0x000c_fffe, "has a vtable of 65534 bytes at 8" },
        { "fields beyond the end", 8, 0xfff0_0008, "claims 65520 bytes of fields" },
        { "field beyond the table", 12, 0x0008_000a, "root.text at byte 16 is 4 bytes at 10 of the table's 12" },
        { "field over the vtable's offset", 12, 0x0008_0002, "root.text at byte 16 is 4 bytes at 2" },
        { "unaligned field", 12, 0x0008_0006, "root.text at byte 16 is not aligned to 4 bytes" },
        { "vtable before the file", 16, 1000, "says that its vtable is at -984" },
        { "text beyond the end", 20, 100, "root.text at byte 20 leads 100 bytes on" },
        { "longer text", 28, 1000, "root.text at byte 28 claims 1000 elements" },
        { "text without its end", 28, 2, "is a text without an end" },
        { "text that is not text", 32, 0xffffffff, "is not text in UTF-8" },
    };

    [Theory]
    [MemberData(nameof(Damages))]
    public void Read_OfADamagedBuffer_SaysWhere(string what, int offset, uint value, string expected)
    {
        // 0 root, 4 identifier, 8 vtable, 16 table (vtable, text, vector), 28 "abcd", 44 vector of one number
        var bytes = Bytes(new FlatTable().Text(0, "abcd").Reference(1, new FlatInt64Vector([5])));
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(offset), value);

        var error = Assert.Throws<OnnxFormatException>(() =>
        {
            var root = Read(bytes);
            root.Text(0, "text");
            root.Int64s(1, "numbers");
        });

        Assert.StartsWith("x.bin: ", error.Message, StringComparison.Ordinal);
        Assert.True(error.Message.Contains(expected, StringComparison.Ordinal), $"{what}: {error.Message}");
    }

    [Fact]
    public void Read_WhenAThousandEntriesLeadToOneLongText_StopsEarly()
    {
        const int Count = 1000;
        var texts = Enumerable.Range(1, Count).Select(static i => new string('x', i == Count ? 100_000 : 0));
        FlatTable root = new();
        root.Reference(0, new FlatVector([.. texts.Select(static text => new FlatTable().Text(0, text))]));
        var bytes = Bytes(root);
        PointAllAtTheLast(bytes, Count);

        var error = Assert.Throws<OnnxFormatException>(
            () => Read(bytes).Tables(0, "items")!.Count(static t => t.Text(0, "name") is null));

        Assert.Contains("names and shapes take 64 times the file's length", error.Message, StringComparison.Ordinal);
    }

    /// <summary>Makes every entry of the vector, which the root's only field is, lead to the last table.</summary>
    private static void PointAllAtTheLast(byte[] bytes, int count)
    {
        uint Number(uint at) => BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan((int)at));
        var field = Number(0) + sizeof(int);
        var entries = field + Number(field) + sizeof(uint);
        var last = entries + (uint)(4 * (count - 1));
        var target = last + Number(last);
        for (var entry = entries; entry < last; entry += 4)
            BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan((int)entry), target - entry);
    }

    private static byte[] Bytes(FlatTable root)
    {
        using var target = new MemoryStream();
        FlatBufferWriter.Write(target, root, "TEST", "x.bin", "");
        return target.ToArray();
    }

    private static FlatTableReader Read(FlatTable root) => Read(Bytes(root));

    private static FlatTableReader Read(byte[] bytes) =>
        FlatBufferReader.Over(bytes, "x.bin", "test").Root("TEST", "root");
}
