using OrtPeft.Models.Checkpoints;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Storage;

namespace OrtPeft.Models.Tests;

public sealed class ModelSourceTests
{
    [Fact]
    public void Open_OfAllThreeForms_GivesTheSameModel()
    {
        using var folder = new TemporaryFolder();
        var path = HfCheckpoint.Import(Fixture.Path("base/g2l"), folder.Path);

        var imported = ModelSource.Open(Fixture.Path("base/g2l"));
        var byFolder = ModelSource.Open(folder.Path);
        var byFile = ModelSource.Open(path);

        var names = imported.Model.Graph.Nodes.Select(static n => n.ToString()).ToArray();
        Assert.Equal(names, byFolder.Model.Graph.Nodes.Select(static n => n.ToString()));
        Assert.Equal(names, byFile.Model.Graph.Nodes.Select(static n => n.ToString()));
        Assert.Equal((null, path, path), (imported.ModelPath, byFolder.ModelPath, byFile.ModelPath));
        Assert.Equal((folder.Path, folder.Path), (byFolder.Folder, byFile.Folder));
        Assert.All([imported, byFolder, byFile], static s => Assert.Equal(101, s.Config!.VocabularySize));
        Assert.IsType<MappedTensorData>(imported.Model.Graph.Find("transformer.wte.weight")!.Initializer!.Data);
    }

    [Fact]
    public void Open_OfAFileWithoutConfig_Works()
    {
        using var folder = new TemporaryFolder();
        var path = HfCheckpoint.Import(Fixture.Path("base/g2l"), folder.Path);
        File.Delete(folder["config.json"]);

        Assert.Null(ModelSource.Open(path).Config);
    }

    [Fact]
    public void Open_WhenThereIsNoModel_SaysWhatIsExpected()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder["decoder_model.onnx"], "");

        var empty = Assert.Throws<OnnxFormatException>(() => ModelSource.Open(folder.Path));
        var missing = Assert.Throws<OnnxFormatException>(() => ModelSource.Open(folder["x"]));
        var file = Fixture.Path("base/g2l/model.safetensors");
        var weights = Assert.Throws<OnnxFormatException>(() => ModelSource.Open(file));

        Assert.Contains("decoder_model.onnx", empty.Message, StringComparison.Ordinal);
        Assert.Contains("does not exist", missing.Message, StringComparison.Ordinal);
        Assert.Contains("weights only", weights.Message, StringComparison.Ordinal);
    }
}
