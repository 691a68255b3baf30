using OrtPeft.Models.Checkpoints;
using OrtPeft.Models.Gpt2;
using OrtPeft.Models.Initialization;
using OrtPeft.Tensors;
using OrtPeft.Tensors.Safetensors;
using OrtPeft.Tensors.Storage;

namespace OrtPeft.Models.Tests.Checkpoints;

public sealed class HfCheckpointTests
{
    private const string Embedding = "transformer.wte.weight";
    private const string Head = "lm_head.weight";

    private static string Base => Fixture.Path("base/g2l");

    [Theory]
    [InlineData(ElementType.Float16)]
    [InlineData(ElementType.BFloat16)]
    [InlineData(ElementType.Double)]
    public void Import_OfOtherFloatTypes_EqualsTheImportOfTheRoundedWeights(ElementType type)
    {
        using var narrow = new TemporaryFolder();
        using var rounded = new TemporaryFolder();
        WriteCopy(narrow, (name, t) => [(name, Narrow(t, type))]);
        WriteCopy(rounded, (name, t) => [(name, Tensor.Of<float>(Narrow(t, type).ToFloat32(), [.. t.Dims]))]);

        using var actual = new OnnxSession(HfCheckpoint.Import(narrow.Path, narrow["out"]));
        using var expected = new OnnxSession(HfCheckpoint.Import(rounded.Path, rounded["out"]));

        var golden = Golden.Open(Golden.WithPast, "leftpad_p4s7");
        Assert.Equal(
            expected.Run(golden.Inputs, "logits")["logits"].ToFloat32(),
            actual.Run(golden.Inputs, "logits")["logits"].ToFloat32());
    }

    [Fact]
    public void Open_OfHalfPrecision_GivesTheSameBytesHoweverTheyAreRead()
    {
        using var folder = new TemporaryFolder();
        WriteCopy(folder, static (name, t) => [(name, Narrow(t, ElementType.Float16))]);
        var data = HfCheckpoint.Open(folder.Path).Weights["transformer.wpe.weight"].Data;

        var odd = data.Slice(3, 10).ToArray();
        using var pin = data.Pin();

        Assert.Equal(data.Slice(0, 13).ToArray()[3..], odd);
        Assert.Equal(data.Length, pin.Length);
        Assert.Equal(odd, data.Slice(3, 10).ToArray());
    }

    [Fact]
    public void Open_OfShards_AgreesWithPyTorch()
    {
        using var folder = new TemporaryFolder();
        File.Copy(Path.Combine(Base, "config.json"), folder["config.json"]);
        var file = SafetensorsFile.Open(Path.Combine(Base, "model.safetensors"));
        var map = new List<string>();
        foreach (var (number, tensors) in file.Tensors.Chunk(5).Index())
        {
            var name = $"model-{number}.safetensors";
            SafetensorsFile.Save(folder[name], tensors.Select(static t => (t.Key, t.Value)));
            map.AddRange(tensors.Select(t => $"\"{t.Key}\":\"{name}\""));
        }

        File.WriteAllText(folder["model.safetensors.index.json"], $"{{\"weight_map\":{{{string.Join(",", map)}}}}}");
        using var session = new OnnxSession(HfCheckpoint.Open(folder.Path, Assert.Fail).ToModel());

        Assert.InRange(Golden.Open(Golden.WithoutPast, "leftpad").Deviation(session), 0, 1e-5f);
    }

    [Fact]
    public void Open_LeavesFloatWeightsMapped()
    {
        var weights = HfCheckpoint.Open(Base).Weights;

        Assert.All(weights.Values, static t => Assert.IsType<MappedTensorData>(t.Data));
        Assert.Equal(28, weights.Count);
    }

    [Fact]
    public void Open_WhenAWeightIsMissing_NamesIt()
    {
        using var folder = new TemporaryFolder();
        WriteCopy(folder, static (name, t) => name == "transformer.h.1.ln_2.bias" ? [] : [(name, t)]);

        var error = Assert.Throws<OnnxFormatException>(() => HfCheckpoint.Open(folder.Path));

        Assert.Contains("'transformer.h.1.ln_2.bias' [32]", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Open_WhenAShapeIsWrong_NamesBothShapes()
    {
        using var folder = new TemporaryFolder();
        WriteCopy(folder, static (name, t) =>
            [(name, name == "transformer.wpe.weight" ? new Tensor(t.Type, [32, 64], t.Data) : t)]);

        var error = Assert.Throws<OnnxFormatException>(() => HfCheckpoint.Open(folder.Path));

        Assert.Contains("[32, 64]", error.Message, StringComparison.Ordinal);
        Assert.Contains("[64, 32]", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Open_WhenAWeightIsQuantized_Throws()
    {
        using var folder = new TemporaryFolder();
        WriteCopy(folder, static (name, t) =>
            [(name, name == "transformer.ln_f.bias" ? Tensor.Vector(new sbyte[32]) : t)]);

        var error = Assert.Throws<OnnxFormatException>(() => HfCheckpoint.Open(folder.Path));

        Assert.Contains("Int8", error.Message, StringComparison.Ordinal);
    }

    /// <summary>HF 5 ties head and embedding only if the file does not hold other numbers for the head.</summary>
    [Theory]
    [InlineData(1, true)]
    [InlineData(2, false)]
    public void Open_WhenATiedHeadIsStored_UsesItWhereItDiffers(int factor, bool isTied)
    {
        using var folder = new TemporaryFolder();
        WriteCopy(folder, (name, t) => name == Embedding ? [(name, t), (Head, Times(t, factor))] : [(name, t)]);
        var warnings = new List<string>();

        var checkpoint = HfCheckpoint.Open(folder.Path, warnings.Add);

        Assert.Equal(isTied, checkpoint.Config.TieWordEmbeddings);
        Assert.Equal(isTied ? "true" : "false", checkpoint.ToModel().Metadata["tie_word_embeddings"]);
        Assert.Equal(!isTied, checkpoint.Weights.ContainsKey(Head));
        Assert.Equal(isTied ? 0 : 1, warnings.Count(static w => w.Contains("both are used", StringComparison.Ordinal)));
    }

    [Fact]
    public void Open_WhenOnlyTheHeadOfATiedModelIsStored_TakesItAsTheEmbedding()
    {
        using var folder = new TemporaryFolder();
        Tensor? embedding = null;
        WriteCopy(folder, (name, t) => name == Embedding ? [(Head, embedding = t)] : [(name, t)]);

        var checkpoint = HfCheckpoint.Open(folder.Path, Assert.Fail);

        Assert.Equal(embedding!.ToFloat32(), checkpoint.Weights[Embedding].ToFloat32());
    }

    [Fact]
    public void Open_WhenThereAreSpareTensors_WarnsInOneLine()
    {
        using var folder = new TemporaryFolder();
        WriteCopy(folder, static (name, t) => [(name, t), ($"spare.{name}", t)]);
        var warnings = new List<string>();

        HfCheckpoint.Open(folder.Path, warnings.Add);

        Assert.Contains("and 25 more", Assert.Single(warnings), StringComparison.Ordinal);
    }

    [Fact]
    public void Import_CopiesTheTokenizer()
    {
        using var folder = new TemporaryFolder();
        WriteCopy(folder, static (name, t) => [(name, t)]);
        File.WriteAllText(folder["tokenizer.json"], "{}");
        File.WriteAllText(folder["unrelated.txt"], "");

        HfCheckpoint.Import(folder.Path, folder["out"]);

        Assert.Equal(
            ["config.json", "model.onnx", "model.onnx.data", "tokenizer.json"],
            Directory.EnumerateFiles(folder["out"]).Select(Path.GetFileName).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Import_CopiesHowEmbeddingsAreMade()
    {
        string[] names = ["1_Pooling/config.json", "config_sentence_transformers.json", "modules.json", "sentence_bert_config.json"];
        using var folder = new TemporaryFolder();
        WriteCopy(folder, static (name, t) => [(name, t)]);
        Directory.CreateDirectory(folder["1_Pooling"]);
        foreach (var name in names)
            File.WriteAllText(folder[name], name);

        HfCheckpoint.Import(folder.Path, folder["out"]);

        Assert.All(names, name => Assert.Equal(name, File.ReadAllText(Path.Combine(folder["out"], name))));
    }

    [Fact]
    public void Import_AllocatesLittle()
    {
        using var folder = new TemporaryFolder();
        var config = Gpt2Presets.Find("tiny") with { VocabSize = 200_000, Positions = 1024, EmbeddingSize = 128 };
        ModelInitializer.Write(config, 1, folder.Path);
        var before = GC.GetAllocatedBytesForCurrentThread();

        HfCheckpoint.Import(folder.Path, folder["out"]);

        var weightBytes = new FileInfo(folder["model.safetensors"]).Length;
        Assert.True(weightBytes > 100_000_000);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 8_000_000);
    }

    private static Tensor Times(Tensor tensor, int factor) =>
        Tensor.Of<float>([.. tensor.ToFloat32().Select(v => v * factor)], [.. tensor.Dims]);

    private static void WriteCopy(TemporaryFolder folder, Func<string, Tensor, (string Name, Tensor Tensor)[]> change)
    {
        File.Copy(Path.Combine(Base, "config.json"), folder["config.json"]);
        var file = SafetensorsFile.Open(Path.Combine(Base, "model.safetensors"));
        SafetensorsFile.Save(folder["model.safetensors"], file.Tensors.SelectMany(t => change(t.Key, t.Value)));
    }

    private static Tensor Narrow(Tensor tensor, ElementType type)
    {
        var values = tensor.ToFloat32();
        long[] dims = [.. tensor.Dims];
        return type switch
        {
            ElementType.Float16 => Tensor.Of<Half>([.. values.Select(static v => (Half)v)], dims),
            ElementType.Double => Tensor.Of<double>([.. values.Select(static v => v + 1e-12)], dims),
            _ => new Tensor(type, tensor.Dims, Tensor.Vector<ushort>([.. values.Select(Upper)]).Data),
        };
    }

    private static ushort Upper(float value) => (ushort)(BitConverter.SingleToUInt32Bits(value) >> 16);
}
