using System.Globalization;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using OrtPeft.Cli.Tests.Running;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Serialization;
using OrtPeft.Tensors;
using OrtPeft.Tensors.Safetensors;
using OrtPeft.Tensors.Storage;
using OrtPeft.Testing;

namespace OrtPeft.Cli.Tests.Commands;

public sealed class ExportTests : IClassFixture<Workplace>
{
    private readonly Workplace _place;
    private readonly string _one;
    private readonly string _two;

    public ExportTests(Workplace place)
    {
        _place = place;
        _one = Trained("export/one", "--seed", "1", "--target", "c_attn");
        _two = Trained("export/two", "--seed", "2", "--target", "c_attn,c_proj", "--alpha", "4");
    }

    [Fact]
    public void OnnxAdapter_WritesTheGraphOnce_AndAFileForEachAdapter()
    {
        var folder = _place.Fresh();

        var run = CliRun.Of(
            "export", _place.Model, "--adapter", $"chat={_one}", "--adapter", _two, "--format", "onnx-adapter", "--out", folder, "--json");

        var proof = run.Succeeded().Json["verified"]!;
        Assert.Equal(
            ["chat.onnx_adapter", "model.onnx", "model.onnx.data", "two.onnx_adapter"],
            Names(folder).Where(static n => n.Contains("onnx", StringComparison.Ordinal)));
        Assert.Contains("tokenizer.json", Names(folder));
        Assert.Equal(0, (double)proof["base"]!);
        Assert.InRange((double)proof["adapters"]!["chat"]!, 0, 1e-4);
        Assert.InRange((double)proof["adapters"]!["two"]!, 0, 1e-4);
    }

    /// <summary>For runtimes that feed no optional inputs.</summary>
    [Fact]
    public void OnnxAdapter_WithRequiredInputs_HasNoDefaults_AndIsProved()
    {
        var folder = _place.Fresh();

        var run = CliRun.Of(
            "export", _place.Model, "--adapter", $"a={_one}", "--format", "onnx-adapter", "--required-inputs", "--out", folder, "--json");

        Assert.Equal(0, (double)run.Succeeded().Json["verified"]!["base"]!);
        var inputs = OnnxFile.Load(Path.Combine(folder, "model.onnx")).Graph.Inputs
            .Where(static i => i.Name.Contains("lora_", StringComparison.Ordinal)).ToList();
        Assert.NotEmpty(inputs);
        Assert.All(inputs, static i => Assert.Null(i.Initializer));
    }

    [Fact]
    public void RequiredInputs_ForGenAi_AreRefused() =>
        Refused(["--adapter", _one, "--format", "genai", "--beside", "--required-inputs"], "--required-inputs");

    [Fact]
    public void OnnxAdapter_Together_IsOneFile()
    {
        var folder = _place.Fresh();
        string[] both = ["--adapter", _one, "--adapter", _two];

        var run = CliRun.Of(["export", _place.Hf, .. both, "--together", "sum", "--format", "onnx-adapter", "--out", folder]);

        Assert.Contains("sum.onnx_adapter", run.Succeeded().Output, StringComparison.Ordinal);
        Assert.Equal(["sum.onnx_adapter"], Names(folder).Where(static n => n.EndsWith("_adapter", StringComparison.Ordinal)));
    }

    [Fact]
    public void Overwrite_RemovesAdaptersThatAreNotWrittenAnew()
    {
        var folder = _place.Fresh();
        string[] words = ["--format", "onnx-adapter", "--no-verify", "--out", folder];
        CliRun.Of(["export", _place.Model, "--adapter", $"old={_one}", .. words]).Succeeded();

        CliRun.Of(["export", _place.Model, "--adapter", $"new={_one}", .. words]).Refused(2, "model.onnx already", "--overwrite");
        CliRun.Of(["export", _place.Model, "--adapter", $"new={_one}", .. words, "--overwrite"]).Succeeded();

        Assert.Equal(["new.onnx_adapter"], Names(folder).Where(static n => n.EndsWith("_adapter", StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData("genai", "genai_config.json", "model.onnx", "model.onnx.data")]
    [InlineData("hf", "model.safetensors")]
    [InlineData("foundry-local", "genai_config.json", "inference_model.json", "model.onnx", "model.onnx.data")]
    public void AMergedFolder_HasItsFiles_AndAnswersAsTheAdapter(string format, params string[] files)
    {
        var folder = _place.Fresh();
        string[] name = format == "foundry-local" ? ["--name", "tiny-cats"] : [];

        CliRun.Of(["export", _place.Hf, "--adapter", _one, "--format", format, .. name, "--out", folder]).Succeeded();

        string[] kinds = ["model.", "genai", "inference"];
        Assert.Equal(files, Names(folder).Where(n => kinds.Any(k => n.StartsWith(k, StringComparison.Ordinal))));
        Assert.Contains("tokenizer.json", Names(folder));
        Assert.Equal(Loss(_place.Hf, "--adapter", _one), Loss(folder), 1e-5);
    }

    [Fact]
    public void GenAi_Beside_IsTheBaseAndItsAdapters()
    {
        var folder = _place.Fresh();

        var run = CliRun.Of(
            "export", _place.Hf, "--adapter", $"a={_one}", "--format", "genai", "--beside", "--out", folder).Succeeded();

        Assert.Contains("GenAI with a.onnx_adapter: logits", run.Output, StringComparison.Ordinal);
        Assert.Contains("a.onnx_adapter", Names(folder));
        Assert.Contains("genai_config.json", Names(folder));
        Assert.Equal(Loss(_place.Hf), Loss(folder), 1e-6);
    }

    /// <summary>GenAI itself runs what was written of its own folders, those of 4 bits without rounded activations, in which a
    /// difference would hide.</summary>
    [Theory]
    [InlineData("llama-fp32", false)]
    [InlineData("llama-fp32", true)]
    [InlineData("llama-int4", false)]
    [InlineData("llama-int4", true)]
    [InlineData("qwen2-fp32", true)]
    [InlineData("qwen2-int4", false)]
    public void GenAi_RunsWhatWasWritten(string build, bool isBeside)
    {
        var folder = _place.Fresh();
        var adapter = Path.Combine(Fixtures, "genai", $"{build.Split('-')[0]}-adapter-peft");
        var model = _place.CopyOf(Path.Combine(Fixtures, "genai", build), $"{build}-{Path.GetRandomFileName()}");
        var graph = OnnxFile.Load(Path.Combine(model, "model.onnx"));
        foreach (var node in graph.Graph.Nodes.Where(static n => n.OpType == "MatMulNBits"))
            node.Attributes.Set(NodeAttribute.Of("accuracy_level", 1L));
        OnnxFile.Save(graph, Path.Combine(model, "exact.onnx"), new OnnxSaveOptions());
        File.Move(Path.Combine(model, "exact.onnx"), Path.Combine(model, "model.onnx"), overwrite: true);
        string[] beside = isBeside ? ["--beside"] : [];

        var run = CliRun.Of([
            "export", model, "--adapter", $"a={adapter}", "--format", "genai", .. beside, "--out", folder,
        ]).Succeeded();

        var said = Regex.Match(
            run.Output, @"^GenAI( with a\.onnx_adapter)?: logits over its cache .* at most (\S+)\.$", RegexOptions.Multiline);
        Assert.True(said.Success, run.Output);
        Assert.Equal(isBeside, said.Groups[1].Success);
        Assert.InRange(double.Parse(said.Groups[2].Value, CultureInfo.InvariantCulture), 0, 1e-4);
    }

    [Fact]
    public void GenAi_OfADescriptionThatGenAiRefuses_IsNotWritten()
    {
        var folder = _place.Fresh();
        var build = _place.CopyOf(Path.Combine(Fixtures, "genai/llama-fp32"), $"genai-{Path.GetRandomFileName()}");
        var config = Path.Combine(build, "genai_config.json");
        File.WriteAllText(config, File.ReadAllText(config).Replace("past_key_values.%d.key", "past.%d.key", StringComparison.Ordinal));

        CliRun.Of(
            "export", build, "--adapter", Path.Combine(Fixtures, "genai/llama-adapter-peft"), "--format", "genai", "--out", folder)
            .Refused(1, "GenAI", "--no-verify");

        Assert.False(Directory.Exists(folder));
    }

    [Fact]
    public void Hf_OfAFolderInFewBits_SaysHowToGoOn()
    {
        const string Module = "model.layers.0.mlp.down_proj";
        var model = _place.CopyOf(Path.Combine(Fixtures, "families/llama"), $"int8-{Path.GetRandomFileName()}");
        var (weights, config) = (Path.Combine(model, "model.safetensors"), Path.Combine(model, "config.json"));
        var tensors = SafetensorsFile.Open(Path.Combine(Fixtures, "families/llama/model.safetensors")).Tensors
            .ToDictionary(static t => t.Key, static t => t.Value);
        var dims = tensors[$"{Module}.weight"].Dims;
        tensors[$"{Module}.weight"] = Tensor.Of<sbyte>(new sbyte[dims[0] * dims[1]], [.. dims]);
        tensors[$"{Module}.SCB"] = Tensor.Of<float>(new float[dims[0]], [dims[0]]);
        SafetensorsFile.Save(weights, tensors.Select(static t => (t.Key, t.Value)).ToList(), new Dictionary<string, string>());
        var description = (JsonObject)JsonNode.Parse(File.ReadAllText(config))!;
        description["quantization_config"] = new JsonObject { ["quant_method"] = "bitsandbytes", ["load_in_8bit"] = true };
        File.WriteAllText(config, description.ToJsonString());

        CliRun.Of("export", model, "--format", "hf", "--out", _place.Fresh()).Refused(2, "--float", "ortpeft import");
    }

    /// <summary>What reads pictures stays as it is, under the names that it had.</summary>
    [Fact]
    public void Hf_OfAModelThatReadsPictures_KeepsAllOfIt()
    {
        var folder = _place.Fresh();
        var (model, words) = OfPictures("hf", folder);

        CliRun.Of(words).Succeeded();

        var (before, after) = (Tensors(model), Tensors(folder));
        Assert.Equal(before.Keys.Order(), after.Keys.Order());
        Assert.Equal(PictureFolder.TowerBytes, after[PictureFolder.Tower]);
        Assert.Contains(before, t => !t.Value.SequenceEqual(after[t.Key]));
        Assert.True(JsonNode.DeepEquals(Description(model), Description(folder)));

        static Dictionary<string, byte[]> Tensors(string place) =>
            SafetensorsFile.Open(Path.Combine(place, "model.safetensors")).Tensors
                .ToDictionary(static t => t.Key, static t => t.Value.Data.Slice(0, (int)t.Value.Data.Length).ToArray());

        static JsonNode? Description(string place) => JsonNode.Parse(File.ReadAllText(Path.Combine(place, "config.json")));
    }

    /// <summary>Each is read again, and answers as the model with its adapter beside it.</summary>
    [Theory]
    [InlineData("gguf")]
    [InlineData("gguf-lora")]
    [InlineData("genai")]
    public void OfAModelThatReadsPictures_WritesThePartForTexts(string format) =>
        CliRun.Of(OfPictures(format, _place.Fresh()).Words).Succeeded();

    private (string Model, string[] Words) OfPictures(string format, string folder)
    {
        var words = LlamaTo(format, folder);
        var model = _place.Fresh();
        Directory.CreateDirectory(model);
        PictureFolder.Write(words[1], model, "llava", hasOldNames: true);
        words[1] = model;
        return (model, words);
    }

    [Fact]
    public void Foundry_WithAProvidersWordInTheName_IsRefused() => Refused(
        ["--adapter", _one, "--format", "foundry-local", "--name", "my-Cuda-GPU-cat"], "'cuda-gpu'");

    [Fact]
    public void Foundry_WithoutAName_IsRefused() => Refused(["--adapter", _one, "--format", "foundry-local"], "--name NAME");

    [Fact]
    public void Requantize_WithAdaptersApart_IsRefused() => Refused(
        ["--adapter", _one, "--format", "onnx-adapter", "--requantize"], "--requantize");

    [Fact]
    public void TwoAdaptersOfOneName_AreRefused() => Refused(
        ["--adapter", $"A={_one}", "--adapter", $"a={_two}", "--format", "onnx-adapter"], "Two adapters are called 'A'");

    [Fact]
    public void AName_WithASeparator_IsRefused() =>
        Refused(["--adapter", $"../a={_one}", "--format", "onnx-adapter"], "'../a' is not a name");

    [Fact]
    public void AnUnknownFormat_IsRefused() =>
        Refused(["--adapter", _one, "--format", "onnx"], "--format is 'onnx'", "onnx-adapter");

    [Fact]
    public void OnnxAdapter_WithoutAnAdapter_IsRefused() => Refused(["--format", "onnx-adapter"], "--adapter NAME=DIR");

    [Fact]
    public void Together_OfOne_IsRefused() =>
        Refused(["--adapter", _one, "--together", "a", "--format", "onnx-adapter"], "needs two adapters");

    [Fact]
    public void AnAdapterOfAnotherModel_IsRefused() => Refused(
        ["--adapter", Path.Combine(Fixtures, "peft_ckpt/g2l_lora_cattn_randB"), "--format", "onnx-adapter"],
        "is it an adapter for another model");

    /// <summary>Numbers of a file that is on the disk already are doubled before it is proved.</summary>
    [Theory]
    [InlineData("onnx-adapter", "chat.onnx_adapter", "With adapter 'chat', ONNX Runtime's logits differ by ")]
    [InlineData("onnx-adapter", "model.onnx.data", "With the base without an adapter, ONNX Runtime's logits differ by ")]
    [InlineData("genai", "model.onnx.data", "differ by ")]
    [InlineData("foundry-local", "model.onnx.data", "differ by ")]
    [InlineData("hf", "model.safetensors", "With the HF folder read again, ONNX Runtime's logits differ by ")]
    public void AnExportThatIsNotProved_IsNotWritten(string format, string file, string said)
    {
        var folder = _place.Fresh();
        string[] name = format == "foundry-local" ? ["--name", "tiny"] : [];
        string[] words = ["export", _place.Hf, "--adapter", $"chat={_one}", "--format", format, .. name, "--out", folder];

        Damaging(file, () => CliRun.Of(words).Refused(1, said, "nothing was written"));
        Assert.False(Directory.Exists(folder));

        // What was there stays.
        CliRun.Of(words).Succeeded();
        var before = Contents(folder);
        Damaging(file, () => CliRun.Of([.. words, "--overwrite"]).Refused(1, said));
        Assert.Equal(before, Contents(folder));
    }

    /// <summary>The command has no llama.cpp: it reads the file again itself.</summary>
    [Theory]
    [InlineData("gguf", "model.gguf", "the GGUF file's weights differ by ")]
    [InlineData("gguf-lora", "chat.gguf", "With chat.gguf read again, ONNX Runtime's logits differ by ")]
    public void AGgufFileThatIsNotProved_IsNotWritten(string format, string file, string said)
    {
        var folder = _place.Fresh();
        var words = LlamaTo(format, folder);

        Damaging(file, () => CliRun.Of(words).Refused(1, said, "nothing was written"));

        Assert.False(Directory.Exists(folder));
    }

    [Theory]
    [InlineData("llama-adapter-peft")]
    [InlineData("llama-adapter-peft-patterns")]
    public void GgufLora_IsReadAgain_AndAddedToTheBase(string adapter)
    {
        var folder = _place.Fresh();

        var run = CliRun.Of([.. LlamaTo("gguf-lora", folder, adapter), "--json"]).Succeeded();

        Assert.InRange((double)run.Json["verified"]!["chat"]!, 0, 1e-4);
        Assert.Equal(["chat.gguf"], Names(folder));
    }

    [Fact]
    public void GgufLora_WithoutAProof_SaysSo()
    {
        var run = CliRun.Of([.. LlamaTo("gguf-lora", _place.Fresh()), "--no-verify"]).Succeeded();

        Assert.Contains("was not read again (--no-verify)", run.Output, StringComparison.Ordinal);
    }

    private string[] LlamaTo(string format, string folder, string adapter = "llama-adapter-peft")
    {
        var model = _place.CopyOf(Path.Combine(Fixtures, "genai/llama-hf"), $"llama-{Path.GetRandomFileName()}");
        foreach (var name in (string[])["tokenizer.json", "tokenizer_config.json"])
            File.Copy(Path.Combine(Fixtures, "genai/llama-fp32", name), Path.Combine(model, name));
        string[] type = format == "gguf" ? ["--outtype", "f32"] : [];
        return
        [
            "export", model, "--adapter", $"chat={Path.Combine(Fixtures, "genai", adapter)}", "--format", format, .. type, "--out", folder,
        ];
    }

    [Fact]
    public void AnExportThatIsNotProved_IsWrittenWhereNoProofIsWanted()
    {
        var folder = _place.Fresh();

        Damaging("chat.onnx_adapter", () => CliRun.Of(
            "export", _place.Hf, "--adapter", $"chat={_one}", "--format", "onnx-adapter", "--no-verify", "--out", folder).Succeeded());

        Assert.Contains("chat.onnx_adapter", Names(folder));
    }

    [Fact]
    public void SentenceTransformersFiles_GoWithTheModel()
    {
        var model = _place.CopyOf(_place.Hf, $"sentences-{Path.GetRandomFileName()}");
        Directory.CreateDirectory(Path.Combine(model, "1_Pooling"));
        File.WriteAllText(Path.Combine(model, "modules.json"), "[]");
        File.WriteAllText(Path.Combine(model, "1_Pooling", "config.json"), "{}");
        var folder = _place.Fresh();
        string[] words = ["export", model, "--adapter", $"a={_one}", "--format", "onnx-adapter", "--out", folder];

        CliRun.Of(words).Succeeded();
        CliRun.Of([.. words, "--overwrite"]).Succeeded();
        var merged = _place.Fresh();
        CliRun.Of("merge", model, "--adapter", _one, "--out", merged).Succeeded();

        foreach (var place in (string[])[folder, merged])
        {
            Assert.Equal("[]", File.ReadAllText(Path.Combine(place, "modules.json")));
            Assert.Equal("{}", File.ReadAllText(Path.Combine(place, "1_Pooling", "config.json")));
        }
    }

    private static void Damaging(string file, Action run)
    {
        var isDone = false;
        using (FileSteps.Watch(static _ => { }, Damage))
            run();
        Assert.True(isDone);

        void Damage(string folder)
        {
            var path = Path.Combine(folder, file);
            if (isDone || !folder.Contains(StagedFolder.HiddenPrefix, StringComparison.Ordinal) || !File.Exists(path))
                return;
            isDone = true;
            var bytes = File.ReadAllBytes(path);
            // The first half of a model's file may be names.
            var start = file.EndsWith("_adapter", StringComparison.Ordinal) ? 0 : bytes.Length / 8 * 4;
            var numbers = MemoryMarshal.Cast<byte, float>(bytes.AsSpan(start, (bytes.Length - start) / 4 * 4));
            foreach (ref var number in numbers)
                number = Math.Abs(number) is > 1e-6f and < 10 ? 2 * number : number;
            File.WriteAllBytes(path, bytes);
        }
    }

    private static Dictionary<string, string> Contents(string folder) =>
        Directory.EnumerateFileSystemEntries(folder, "*", SearchOption.AllDirectories).ToDictionary(
            static p => p, static p => File.Exists(p) ? Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(p))) : "folder");

    private static string Fixtures => OrtPeft.Testing.Fixtures.Folder;

    private void Refused(string[] words, params string[] parts)
    {
        var folder = _place.Fresh();

        CliRun.Of(["export", _place.Model, .. words, "--out", folder]).Refused(2, parts);

        Assert.False(Directory.Exists(folder));
    }

    private double Loss(string model, params string[] options) => (double)CliRun.Of(
        ["eval", model, "--data", _place.Rows, "--threads", "1", "--json", .. options]).Succeeded().Json["loss"]!;

    private static IEnumerable<string> Names(string folder) =>
        Directory.EnumerateFiles(folder).Select(static f => Path.GetFileName(f)).Order(StringComparer.Ordinal);

    private string Trained(string name, params string[] options)
    {
        var folder = _place[name];
        if (!Directory.Exists(folder))
        {
            CliRun.Of([
                "train", _place.Model, "--data", _place.Rows, "--steps", "3", "--lr", "0.05", "--rank", "2", "--threads", "1",
                .. options, "--out", folder,
            ]).Succeeded();
        }

        return folder;
    }
}
