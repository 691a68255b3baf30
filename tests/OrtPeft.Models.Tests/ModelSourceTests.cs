using OrtPeft.Models.Checkpoints;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Serialization;
using OrtPeft.Onnx.Shapes;
using OrtPeft.Tensors;
using OrtPeft.Tensors.Storage;

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

    [Theory]
    [InlineData(""" "num_key_value_heads": 4, "head_size": 8, "num_hidden_layers": 2 """)]
    [InlineData(""" "num_attention_heads": 4, "hidden_size": 32, "num_hidden_layers": 2, "filename": "model.onnx" """)]
    public void Open_OfAGraphWithUnstatedCaches_ReadsThemFromGenAisConfig(string decoder)
    {
        using var folder = new TemporaryFolder();
        WithUnstatedCaches(folder, decoder);

        var source = ModelSource.Open(folder.Path);

        var pasts = source.Model.Graph.Inputs.Where(static i => i.Name.StartsWith("past", StringComparison.Ordinal));
        Assert.Equal(4, pasts.Count());
        Assert.All(pasts, static p => Assert.Equal((4L, 8L), (p.Shape![1].Value, p.Shape[3].Value)));
        Assert.Equal([98, 7], source.StopTokenIds);
        Assert.Equal((512, 1000), (source.ContextLength, source.VocabularySize));
    }

    [Fact]
    public void Open_WhenGenAisConfigIsOfAnotherGraph_TakesItsStopTokensAlone()
    {
        using var folder = new TemporaryFolder();
        WithUnstatedCaches(folder, """ "filename": "other.onnx", "num_key_value_heads": 4, "head_size": 8 """);

        var source = ModelSource.Open(folder.Path);

        Assert.Contains(source.Model.Graph.Inputs, static i => i.Shape!.Rank == 4 && i.Shape[1].Value is null);
        Assert.Equal([98, 7], source.StopTokenIds);
        Assert.Null(source.ContextLength);
    }

    [Fact]
    public void Open_WhenGenAisConfigIsDamaged_NamesFileAndField()
    {
        using var folder = new TemporaryFolder();
        WithUnstatedCaches(folder, """ "num_hidden_layers": 2, "num_key_value_heads": -4 """);

        var error = Assert.Throws<ModelConfigException>(() => ModelSource.Open(folder.Path));

        Assert.Contains(
            "genai_config.json: model.decoder.num_key_value_heads is -4", error.Message, StringComparison.Ordinal);
    }

    /// <summary>A graph whose caches have names in place of heads and width, and nothing in it that tells them.</summary>
    private static void WithUnstatedCaches(TemporaryFolder folder, string decoder)
    {
        var model = new Model(17);
        var ids = model.Graph.AddInput("input_ids", ElementType.Int64, [Dim.Named("batch"), Dim.Named("sequence")]);
        var table = model.Graph.AddInitializer("table", Tensor.Of<float>(new float[40], [10, 4]));
        var head = model.Graph.AddInitializer("head", Tensor.Of<float>(new float[40], [4, 10]));
        var x = model.Graph.AddNode("Gather", [table, ids], ["x"]).Output;
        model.Graph.AddOutput(model.Graph.AddNode("MatMul", [x, head], ["logits"]).Output);
        foreach (var name in (string[])["0.key", "0.value", "1.key", "1.value"])
        {
            Shape shape = [Dim.Named("batch"), Dim.Named("heads"), Dim.Named("past"), Dim.Named("size")];
            var past = model.Graph.AddInput($"past_key_values.{name}", ElementType.Float, shape);
            model.Graph.AddOutput(model.Graph.AddNode("Identity", [past], [$"present.{name}"]).Output);
        }

        OnnxFile.Save(model, folder["model.onnx"]);
        File.WriteAllText(
            folder["genai_config.json"],
            """{"model":{"eos_token_id":[98,7],"context_length":512,"vocab_size":1000,"decoder":{""" + decoder + "}}}");
    }

    /// <summary>The hub's layout: the graph in <c>onnx</c>, and what goes with it above.</summary>
    [Theory]
    [InlineData("onnx/model.onnx", "")]
    [InlineData("onnx/model.onnx", "onnx")]
    [InlineData("onnx/model.onnx", "onnx/model.onnx")]
    [InlineData("onnx/model_q4.onnx", "onnx/model_q4.onnx")]
    [InlineData("onnx/decoder_model_merged.onnx onnx/decoder_model.onnx onnx/decoder_with_past_model.onnx", "")]
    [InlineData("onnx/model.onnx onnx/model_fp16.onnx onnx/model_q4.onnx", "")]
    [InlineData("model_int4.onnx", "")]
    [InlineData("decoder_model.onnx decoder_with_past_model.onnx", "")]
    [InlineData("onnx/model.onnx model_quantized.onnx decoder_model.onnx", "decoder_model.onnx")]
    public void Open_OfLayoutsOfHubsAndExporters_FindsTheGraphAndWhatGoesWithIt(string files, string given)
    {
        using var folder = new TemporaryFolder();
        LaidOut(folder, files);

        var source = ModelSource.Open(Path.Combine(folder.Path, given));

        var expected = given.EndsWith(".onnx", StringComparison.Ordinal) ? given : files.Split(' ')[0];
        Assert.Equal(Path.Combine(folder.Path, expected), source.ModelPath);
        Assert.Equal((folder.Path, 101), (source.Folder, source.Config!.VocabularySize));
    }

    [Theory]
    [InlineData("onnx/model_fp16.onnx onnx/model_q4.onnx", "model_fp16.onnx, model_q4.onnx; give the file")]
    [InlineData("a.onnx b.onnx", "a.onnx, b.onnx; give the file")]
    public void Open_OfSeveralGraphs_AsksWhich(string files, string expected)
    {
        using var folder = new TemporaryFolder();
        LaidOut(folder, files);

        var error = Assert.Throws<OnnxFormatException>(() => ModelSource.Open(folder.Path));

        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }

    /// <summary>GenAI's description names the file.</summary>
    [Fact]
    public void Open_OfAGenAiFolder_TakesTheGraphThatItsDescriptionNames()
    {
        using var folder = new TemporaryFolder();
        LaidOut(folder, "decoder-int4.onnx embedding.onnx");
        File.WriteAllText(
            folder["genai_config.json"], """{"model":{"type":"phi3","decoder":{"filename":"decoder-int4.onnx"}}}""");

        var source = ModelSource.Open(folder.Path);

        Assert.Equal(folder["decoder-int4.onnx"], source.ModelPath);
        Assert.Equal("phi3", source.Model.Metadata[MetadataKeys.BuilderType]);
    }

    private static void LaidOut(TemporaryFolder folder, string files)
    {
        var path = HfCheckpoint.Import(Fixture.Path("base/g2l"), folder["imported"]);
        File.Copy(Path.Combine(folder["imported"], "config.json"), folder["config.json"]);
        foreach (var file in files.Split(' '))
        {
            Directory.CreateDirectory(Path.GetDirectoryName(folder[file])!);
            OnnxFile.Save(OnnxFile.Load(path), folder[file]);
        }
    }

    /// <summary>What people give by mistake: the hub's place of a model, a folder of files of another kind, a folder of
    /// folders.</summary>
    [Theory]
    [InlineData("snapshots/one/config.json snapshots/two/config.json refs/main", "give the snapshot in it, {0}/snapshots/two")]
    [InlineData("m-Q4_0.gguf m-Q8_0.gguf", "GGUF files, m-Q4_0.gguf, m-Q8_0.gguf; make an ONNX folder of one with 'ortpeft import {0}/m-Q4_0.gguf")]
    [InlineData("config.json m.gguf", "GGUF files, m.gguf")]
    [InlineData("config.json cpu/int4/model.onnx cuda/model.onnx", "folders within it, cpu/int4, cuda; give one, such as {0}/cpu/int4")]
    [InlineData("adapter_config.json adapter_model.safetensors", "holds an adapter; give the model that it was trained for")]
    [InlineData("config.json model.fp16.safetensors", "holds model.fp16.safetensors, and HF's weights are called model.safetensors")]
    [InlineData("config.json model.ort", "holds model.ort, in ONNX Runtime's own format")]
    public void Open_OfAFolderOfSomethingElse_SaysWhatToGive(string files, string expected)
    {
        using var folder = new TemporaryFolder();
        foreach (var file in files.Split(' '))
        {
            Directory.CreateDirectory(Path.GetDirectoryName(folder[file])!);
            File.WriteAllText(folder[file], file == "refs/main" ? "two" : "{}");
        }

        var error = Assert.Throws<OnnxFormatException>(() => ModelSource.Open(folder.Path));

        var wanted = expected.Replace("{0}", folder.Path, StringComparison.Ordinal).Replace('/', Path.DirectorySeparatorChar);
        Assert.Contains(wanted, error.Message.Replace('/', Path.DirectorySeparatorChar), StringComparison.Ordinal);
        if (!File.Exists(folder["config.json"]))
            Assert.Equal(error.Message, Assert.Throws<OnnxFormatException>(() => HfCheckpoint.Open(folder.Path)).Message);
    }

    /// <summary>What a clone without Git LFS leaves of a repository's files.</summary>
    [Theory]
    [InlineData("model.safetensors")]
    [InlineData("model.onnx")]
    [InlineData("config.json")]
    public void Open_OfAPointerOfGitLfs_SaysSo(string name)
    {
        using var folder = new TemporaryFolder();
        foreach (var file in (string[])["config.json", "model.safetensors"])
            File.Copy(Fixture.Path($"base/g2l/{file}"), folder[file]);
        File.WriteAllText(
            folder[name], $"version https://git-lfs.github.com/spec/v1\noid sha256:{new string('a', 64)}\nsize 12345\n");

        var error = Assert.Throws<OnnxFormatException>(() => ModelSource.Open(folder.Path));

        Assert.Contains($"{name}: is a pointer of Git LFS", error.Message, StringComparison.Ordinal);
        Assert.Contains("git lfs pull", error.Message, StringComparison.Ordinal);
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
