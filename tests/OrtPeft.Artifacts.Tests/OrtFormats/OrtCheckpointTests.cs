using System.Buffers.Binary;
using FsCheck;
using FsCheck.Fluent;
using OrtPeft.Artifacts.OrtFormats;
using OrtPeft.Tensors;
using OrtPeft.Tensors.Storage;
using OrtPeft.Testing;

namespace OrtPeft.Artifacts.Tests.OrtFormats;

public sealed class OrtCheckpointTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private string Path => _folder[OrtCheckpoint.FileName];

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Save_OfAnyCheckpoint_IsLoadedFieldByField()
    {
        var same = Prop.ForAll(Samples.Checkpoints.ToArbitrary(), checkpoint =>
        {
            checkpoint.Save(Path);
            var loaded = OrtCheckpoint.Load(Path);
            var parsed = OrtCheckpoint.Parse(File.ReadAllBytes(Path), "memory");
            Assert.Equal(Samples.Text(checkpoint), Samples.Text(loaded));
            Assert.Equal(Samples.Text(checkpoint), Samples.Text(parsed));
        });

        same.Check(Config.QuickThrowOnFailure.WithMaxTest(300).WithReplay(3, 5));
    }

    [Fact]
    public void Save_OfAnyCheckpointWithExternalData_IsLoadedFieldByField()
    {
        var same = Prop.ForAll(Samples.Checkpoints.Where(static c => !c.IsNominal).ToArbitrary(), checkpoint =>
        {
            checkpoint.Save(Path, externalDataFrom: 0);
            Assert.Equal(Samples.Text(checkpoint), Samples.Text(OrtCheckpoint.Load(Path)));
        });

        same.Check(Config.QuickThrowOnFailure.WithMaxTest(200).WithReplay(8, 5));
    }

    [Fact]
    public void Save_OfALoadedCheckpoint_GivesTheSameBytes()
    {
        Samples.Full().Save(Path);
        var bytes = File.ReadAllBytes(Path);

        OrtCheckpoint.Load(Path).Save(_folder["again"]);

        Assert.Equal(bytes, File.ReadAllBytes(_folder["again"]));
        Assert.Equal([_folder["again"], Path], Directory.GetFiles(_folder.Path).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Save_AtTheLimit_PutsWhatIsLargeBesideTheCheckpoint()
    {
        var large = Samples.Floats("large", 4, 5);
        var odd = new Tensor(ElementType.UInt8, [67], new MemoryTensorData(new byte[67]), "odd");
        var last = new Tensor(ElementType.Int64, [8], new MemoryTensorData(new byte[64]), "last");
        var small = Samples.Floats("small", 15);
        var checkpoint = new OrtCheckpoint
        {
            Trainable = [large, small],
            Frozen = [odd, last],
            OptimizerGroups = [new() { States = [Samples.State("large", 4, 5)] }],
        };
        const int Total = 80 + 60 + 67 + 64 + 160;

        checkpoint.Save(Path, Total);

        var loaded = OrtCheckpoint.Load(Path);
        Assert.Equal((Path + ".data", 0), Place(loaded.Trainable[0]));
        Assert.Equal((Path + ".data", 80), Place(loaded.Frozen[0]));
        Assert.Equal((Path + ".data", 152), Place(loaded.Frozen[1]));
        Assert.Equal(Path, Place(loaded.Trainable[1]).File);
        Assert.Equal(Path, Place(loaded.OptimizerGroups[0].States[0].Momentums[0]).File);
        Assert.Equal(216, new FileInfo(Path + ".data").Length);
        Assert.Equal(Samples.Text(checkpoint), Samples.Text(loaded));

        checkpoint.Save(_folder["below"], Total + 1);
        Assert.False(File.Exists(_folder["below"] + ".data"));
    }

    /// <summary>What a training run does: load, change, save over the files that the old tensors still map.</summary>
    [Fact]
    public void Save_OverTheFilesThatItsTensorsMap_KeepsTheirValues()
    {
        var first = new OrtCheckpoint { Trainable = [Samples.Floats("w", 64)], Frozen = [Samples.Floats("f", 100)] };
        first.Save(Path, externalDataFrom: 0);
        var loaded = OrtCheckpoint.Load(Path);

        var second = new OrtCheckpoint { Trainable = [.. loaded.Frozen], Frozen = [.. loaded.Trainable] };
        second.Save(Path, externalDataFrom: 0);

        Assert.Equal(Samples.Text(second), Samples.Text(OrtCheckpoint.Load(Path)));
        Assert.Equal(Samples.Text(first), Samples.Text(loaded));
        Assert.Equal(2, Directory.GetFiles(_folder.Path).Length);
    }

    [Fact]
    public void Load_PutsValuesWhereTheyAreAligned()
    {
        Samples.Full().Save(Path);

        var loaded = OrtCheckpoint.Load(Path);

        Assert.All(loaded.Trainable.Concat(loaded.Frozen), static t => Assert.Equal(0, Place(t).Offset % 8));
    }

    [Fact]
    public void Save_AsNominal_KeepsNamesTypesAndAxesAlone()
    {
        var weights = new OrtCheckpoint { IsNominal = true, Trainable = [Samples.Floats("w", 1000, 1000)] };

        weights.Save(Path, externalDataFrom: 0);

        var loaded = OrtCheckpoint.Load(Path);
        Assert.InRange(new FileInfo(Path).Length, 1, 300);
        Assert.False(File.Exists(Path + ".data"));
        Assert.Equal("Float[1000, 1000] 'w'", loaded.Trainable[0].ToString());
        var error = Assert.Throws<InvalidOperationException>(() => loaded.Trainable[0].ToFloat32());
        Assert.Contains("nominal", error.Message, StringComparison.Ordinal);
    }

    public static TheoryData<OrtCheckpoint, string> Refused => new()
    {
        { new() { Frozen = [OfType(ElementType.Float16)] }, "'w' is Float16: ONNX Runtime reads no 16-bit floats" },
        { new() { Trainable = [OfType(ElementType.BFloat16)] }, "'w' is BFloat16: ONNX Runtime reads no 16-bit" },
        { new() { Trainable = [OfType(ElementType.Int4)] }, "'w' is Int4: ONNX Runtime reads only float32" },
        { WithMomentum(OfType(ElementType.Float16)), "'w' is Float16" },
        { WithMomentum(OfType(ElementType.Float).WithName("")), "a momentum of 'p' has no name" },
        { new() { Trainable = [OfType(ElementType.Float)], Frozen = [OfType(ElementType.Float)] }, "two of the param" },
        { new() { OptimizerGroups = [new(), new()] }, "two of the optimizer group 'group0'" },
        { new() { Trainable = [new(ElementType.Float, [1], new AbsentTensorData(4), "w")] }, "'w' has no values" },
    };

    [Theory]
    [MemberData(nameof(Refused))]
    public void Save_OfWhatOnnxRuntimeRefuses_ThrowsAndWritesNothing(OrtCheckpoint checkpoint, string expected)
    {
        var error = Assert.ThrowsAny<ArgumentException>(() => checkpoint.Save(Path));

        Assert.StartsWith($"{Path}: ", error.Message, StringComparison.Ordinal);
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFiles(_folder.Path));
    }

    [Fact]
    public void Save_OfAPropertyNameInTwoTypes_Throws()
    {
        var properties = new OrtProperties
        {
            Integers = new Dictionary<string, long> { ["epoch"] = 2 },
            Strings = new Dictionary<string, string> { ["epoch"] = "second" },
        };

        var error = Assert.ThrowsAny<ArgumentException>(() => new OrtCheckpoint { Properties = properties }.Save(Path));

        Assert.Contains("two of the property 'epoch'", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_OfAnotherVersion_SaysWhichIsRead()
    {
        Samples.Full().Save(Path);
        var bytes = File.ReadAllBytes(Path);
        var version = bytes.AsSpan().IndexOf(new byte[] { 2, 0, 0, 0 });
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(version), 1);

        var error = Assert.Throws<OnnxFormatException>(() => OrtCheckpoint.Parse(bytes, "old"));

        Assert.Contains("version", error.Message, StringComparison.Ordinal);
        Assert.Contains("is 1, and only 2 can be read", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_WithoutItsExternalData_NamesTheFile()
    {
        new OrtCheckpoint { Trainable = [Samples.Floats("w", 64)] }.Save(Path, externalDataFrom: 0);
        File.Delete(Path + ".data");

        var missing = Assert.Throws<OnnxFormatException>(() => OrtCheckpoint.Load(Path));
        var memory = Assert.Throws<OnnxFormatException>(() => OrtCheckpoint.Parse(File.ReadAllBytes(Path), "blob"));

        Assert.Contains("'checkpoint.data'", missing.Message, StringComparison.Ordinal);
        Assert.Contains("out of reach from memory", memory.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_WithExternalDataCutShort_SaysWhatIsMissing()
    {
        new OrtCheckpoint { Trainable = [Samples.Floats("w", 64)] }.Save(Path, externalDataFrom: 0);
        File.WriteAllBytes(Path + ".data", new byte[255]);

        var error = Assert.Throws<OnnxFormatException>(() => OrtCheckpoint.Load(Path));

        Assert.Contains("external_data_offset", error.Message, StringComparison.Ordinal);
        Assert.Contains("is 0 for 256 bytes", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_OfAFolder_SaysWhichFileToGive()
    {
        var old = Assert.Throws<OnnxFormatException>(() => OrtCheckpoint.Load(_folder.Path));
        Samples.Full().Save(Path);
        var artifacts = Assert.Throws<OnnxFormatException>(() => OrtCheckpoint.Load(_folder.Path));

        Assert.Contains("before ONNX Runtime 1.16", old.Message, StringComparison.Ordinal);
        Assert.Contains($"give the file {Path}", artifacts.Message, StringComparison.Ordinal);
    }

    private static (string File, long Offset) Place(Tensor tensor) =>
        tensor.Data is MappedTensorData data ? (data.File.Path, data.Offset) : ("memory", 0);

    private static Tensor OfType(ElementType type) =>
        new(type, [2], new MemoryTensorData(new byte[type.ByteCount(2)]), "w");

    private static OrtCheckpoint WithMomentum(Tensor tensor) =>
        new() { OptimizerGroups = [new() { States = [new() { ParameterName = "p", Momentums = [tensor] }] }] };
}
