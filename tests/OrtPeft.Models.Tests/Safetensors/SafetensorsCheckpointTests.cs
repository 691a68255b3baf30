using OrtPeft.Tensors;
using OrtPeft.Tensors.Safetensors;

namespace OrtPeft.Models.Tests.Safetensors;

public sealed class SafetensorsCheckpointTests
{
    [Fact]
    public void Open_OfShards_FindsEveryTensor()
    {
        using var folder = new TemporaryFolder();
        SafetensorsFile.Save(folder["1.safetensors"], [("a", Tensor.Scalar(1f)), ("b", Tensor.Scalar(2f))]);
        SafetensorsFile.Save(folder["2.safetensors"], [("c", Tensor.Scalar(3f))]);
        WriteIndex(folder, """{"weight_map":{"c":"2.safetensors","a":"1.safetensors","b":"1.safetensors"}}""");

        var checkpoint = SafetensorsCheckpoint.Open(folder.Path);

        Assert.Equal(["c", "a", "b"], checkpoint.Tensors.Keys);
        Assert.Equal([3f], checkpoint.Tensors["c"].ToFloat32());
    }

    [Theory]
    [InlineData("""{"weight_map":{"x":"1.safetensors"}}""", "lists tensor 'x'")]
    [InlineData("""{"weight_map":{"a":"../1.safetensors"}}""", "plain file names")]
    [InlineData("""{"weight_map":{"a":"/etc/passwd"}}""", "plain file names")]
    [InlineData("""{"weight_map":{"a":".."}}""", "plain file names")]
    [InlineData("""{"weight_map":{"a":""}}""", "plain file names")]
    [InlineData("""{"weight_map":{"a":null}}""", "plain file names")]
    [InlineData("""{"weight_map":{"a":"3.safetensors"}}""", "does not exist")]
    [InlineData("""{"weight_map":{"a":1}}""", "weight_map")]
    [InlineData("""{"weight_map":[]}""", "weight_map")]
    [InlineData("""{"metadata":{}}""", "weight_map")]
    [InlineData("nonsense", "weight_map")]
    public void Open_WhenTheIndexIsBroken_SaysHow(string index, string expected)
    {
        using var folder = new TemporaryFolder();
        SafetensorsFile.Save(folder["1.safetensors"], [("a", Tensor.Scalar(1f))]);
        WriteIndex(folder, index);

        var error = Assert.Throws<OnnxFormatException>(() => SafetensorsCheckpoint.Open(folder.Path));

        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Open_WhenThereIsOnlyAPickle_SaysHowToConvertIt()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder["pytorch_model.bin"], "");

        var error = Assert.Throws<OnnxFormatException>(() => SafetensorsCheckpoint.Open(folder.Path));

        Assert.Contains("safe_serialization=True", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("missing")]
    public void Open_WhenThereAreNoWeights_SaysWhatIsExpected(string name)
    {
        using var folder = new TemporaryFolder();

        var error = Assert.Throws<OnnxFormatException>(() => SafetensorsCheckpoint.Open(folder[name]));

        Assert.Contains(SafetensorsCheckpoint.FileName, error.Message, StringComparison.Ordinal);
    }

    private static void WriteIndex(TemporaryFolder folder, string json) =>
        File.WriteAllText(folder[SafetensorsCheckpoint.IndexFileName], json);
}
