using FsCheck;
using FsCheck.Fluent;
using OrtPeft.Artifacts.OrtFormats;
using OrtPeft.Tensors;
using OrtPeft.Tensors.Storage;
using OrtPeft.Testing;

namespace OrtPeft.Artifacts.Tests.OrtFormats;

public sealed class OrtAdapterFileTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private string Path => _folder["a" + OrtAdapterFile.Extension];

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Save_OfAnyAdapter_IsLoadedFieldByField()
    {
        var same = Prop.ForAll(Samples.Adapters.ToArbitrary(), adapter =>
        {
            adapter.Save(Path);
            var loaded = OrtAdapterFile.Load(Path);
            Assert.Equal(Text(adapter), Text(loaded));
            Assert.Equal(Text(adapter), Text(OrtAdapterFile.Parse(File.ReadAllBytes(Path), "memory")));
            Assert.All(loaded.Parameters, static t => Assert.Equal(0, ((MappedTensorData)t.Data).Offset % 8));
        });

        same.Check(Config.QuickThrowOnFailure.WithMaxTest(300).WithReplay(4, 5));
    }

    public static TheoryData<Tensor[], string> Refused => new()
    {
        { [Samples.Floats("", 1)], "a tensor has no name" },
        { [Samples.Floats("w", 1), Samples.Floats("w", 1)], "two tensors 'w'" },
        { [Tensor.Scalar(1f).WithName("w")], "'w' has no axes" },
        { [new(ElementType.Complex64, [1], new MemoryTensorData(new byte[8]), "w")], "'w' is Complex64" },
        { [Tensor.Of<bool>([true], [1]).WithName("w")], "'w' is Bool" },
        { [new(ElementType.Int4, [2], new MemoryTensorData(new byte[1]), "w")], "'w' is Int4" },
        { [new(ElementType.UInt8, [1L << 31], new AbsentTensorData(1L << 31), "w")], "limit is 2147483647" },
    };

    [Theory]
    [MemberData(nameof(Refused))]
    public void Save_OfWhatOnnxRuntimeRefuses_ThrowsAndWritesNothing(Tensor[] parameters, string expected)
    {
        var error = Assert.ThrowsAny<ArgumentException>(() => new OrtAdapterFile { Parameters = parameters }.Save(Path));

        Assert.StartsWith($"{Path}: ", error.Message, StringComparison.Ordinal);
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFiles(_folder.Path));
    }

    [Fact]
    public void Load_OfACheckpoint_SaysWhatItIsNot()
    {
        Samples.Full().Save(Path);

        var error = Assert.Throws<OnnxFormatException>(() => OrtAdapterFile.Load(Path));

        Assert.Contains("is 'ODTC', not 'TORT'; it is not a valid adapter file", error.Message, StringComparison.Ordinal);
    }

    private static string Text(OrtAdapterFile file) =>
        $"{file.AdapterVersion} {file.ModelVersion}\n{Samples.Text(file.Parameters)}";
}
