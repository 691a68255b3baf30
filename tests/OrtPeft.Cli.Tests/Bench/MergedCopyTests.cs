using OrtPeft.Cli.Bench;
using OrtPeft.Tensors.Storage;
using OrtPeft.Training.Tests.Runs;

namespace OrtPeft.Cli.Tests.Bench;

public sealed class MergedCopyTests
{
    [Fact]
    public void Dispose_RemovesTheFolderThatHeldTheWeights()
    {
        var copy = new MergedCopy(Tiny.Lora());
        var weight = copy.Model.Graph.Initializers.Select(static v => v.Initializer!.Data).OfType<MappedTensorData>();
        var folder = Path.GetDirectoryName(weight.First().File.Path)!;
        var existed = Directory.Exists(folder);

        copy.Dispose();

        Assert.True(existed);
        Assert.False(Directory.Exists(folder));
    }
}
