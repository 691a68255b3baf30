using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using FsCheck;
using FsCheck.Fluent;
using OrtPeft.Tensors;
using OrtPeft.Testing;

namespace OrtPeft.Artifacts.Tests;

public sealed class ManifestTests
{
    private static readonly ArtifactManifest Small = new()
    {
        Runtime = ArtifactRuntimes.Ort,
        Objective = "causal-lm",
        PeftConfig = new JsonObject { ["peft_type"] = "LORA", ["r"] = 4 },
        Files = new ArtifactFiles { Weights = "adapter_model.safetensors", ExternalData = ["frozen_weights.bin"] },
        Training = new ArtifactGraph
        {
            File = "training_model.onnx",
            Inputs =
            [
                new()
                {
                    Name = "input_ids",
                    Role = ValueRoles.Data,
                    Dtype = ElementType.Int64,
                    Dims = [ArtifactDim.Named("batch"), ArtifactDim.Of(11), ArtifactDim.Named(null)],
                },
                new() { Name = "a", Role = ValueRoles.Parameter, Dtype = ElementType.Float, Parameter = "A" },
                new() { Name = "b", Role = ValueRoles.Parameter, Dims = [], Parameter = "B" },
            ],
            Outputs = [new() { Name = "loss_sum", Role = ValueRoles.LossSum }],
        },
        Optimizer = new ArtifactGraph { File = "optimizer_model.onnx", Inputs = [], Outputs = [] },
        Parameters =
        [
            new() { Name = "A", Input = "a", Gradient = "a.grad", Dims = [2], Offset = 0, LearningRateFactor = 16 },
            new() { Name = "B", Input = "b", Dims = [], Offset = 16 },
        ],
        FlatLength = 32,
        AdamW = new AdamWConfig { Beta1 = 0.8, MaxGradNorm = 0 },
        FoldLr = new LearningRateFolding(0.001, 0.01),
    };

    [Fact]
    public void Load_OfWhatSaveWrote_GivesTheSame()
    {
        using var folder = new TemporaryFolder();

        Small.Save(folder.Path);
        var read = ArtifactManifest.Load(folder.Path);

        Assert.Equal(Small.ToJson(), read.ToJson());
        Assert.Equal(Small.Training.Inputs[0].Dims, read.Training.Inputs[0].Dims);
        Assert.Equal(ElementType.Int64, read.Training.Inputs[0].Dtype);
        Assert.Equal(Small.AdamW, read.AdamW);
        Assert.Equal(10, read.FoldLr!.Factor, 1e-12);
        Assert.Equal("a", read.Training.Input(ValueRoles.Parameter)!.Name);
    }

    [Fact]
    public void ToJson_UnderACommaCulture_IsTheSame()
    {
        var before = CultureInfo.CurrentCulture;
        var plain = Small.ToJson();
        try
        {
            CultureInfo.CurrentCulture = new CultureInfo("de-DE");

            Assert.Equal(plain, Small.ToJson());
        }
        finally
        {
            CultureInfo.CurrentCulture = before;
        }
    }

    [Fact]
    public void Parse_OfAFieldFromTheFuture_PassesItOver()
    {
        var json = Changed(static m =>
        {
            m["quantum"] = new JsonObject { ["qubits"] = 3 };
            m["training"]!["hint"] = "fast";
        });

        var read = Parse(json);

        Assert.Equal(Small.ToJson(), read.ToJson());
    }

    [Theory]
    [InlineData(2, "format_version is 2", "1 to 1")]
    [InlineData(0, "format_version is 0", "1 to 1")]
    public void Parse_OfAnotherVersion_SaysSo(int version, params string[] words) =>
        Refused(Changed(m => m["format_version"] = version), words);

    public static TheoryData<string, string> Faults => new()
    {
        { "$.runtime=", "'runtime'" },
        { "$.parameters[0].dims=[-1]", "'A'" },
        { "$.parameters[0].dims=[4294967296,4294967296]", "'A'" },
        { "$.parameters[1].offset=1", "'B'" },
        { "$.parameters[1].offset=32", "'B'" },
        { "$.parameters[1].offset=", "'B'" },
        { "$.flat_length=0", "flat_length is 0" },
        { "$.flat_length=33", "32" },
        { "$.flat_length=4611686018427387904", "flat_length is 4611686018427387904" },
        { "$.flat_length=-4", "flat_length is -4" },
        { "$.parameters[0].dims=[288230376151711743]", "'A'" },
        { "$.parameters[1].name=\"A\"", "'A'" },
        { "$.parameters[1].input=\"c\"", "'c'" },
        { "$.training.inputs[1].name=\"b\"", "'b' twice" },
        { "$.training.inputs[1].dtype=\"float31\"", "float31" },
        { "$.training.inputs[1].dims=[-2]", "axis" },
        { "$.training.inputs=null", "inputs" },
        { "$.training.file=\"../training_model.onnx\"", "'../training_model.onnx'" },
        { "$.files.external_data=[\"/etc/passwd\"]", "'/etc/passwd'" },
        { "$.parameters[1]=null", "null" },
        { "$.training.outputs[0]=null", "null" },
        { "$.files.external_data[0]=null", "null" },
        { "$.virtual_tokens=-1", "virtual_tokens" },
        { "$.adamw=[]", "adamw" },
    };

    [Theory]
    [MemberData(nameof(Faults))]
    public void Parse_OfAFault_NamesIt(string change, string word) =>
        Refused(Changed(m => Set(m, change)), word, "again");

    [Theory]
    [InlineData("base")]
    [InlineData("base_dropout")]
    [InlineData("files.external_data")]
    [InlineData("adamw.beta1")]
    [InlineData("adamw.max_grad_norm")]
    [InlineData("parameters[0].learning_rate_factor")]
    public void Parse_WithoutAFieldThatHasADefault_AsksForIt(string field)
    {
        var name = field[(field.LastIndexOf('.') + 1)..];

        Refused(Small.ToJson().Replace($"\"{name}\"", "\"renamed\"", StringComparison.Ordinal), $"'{name}'", "again");
    }

    [Fact]
    public void Load_OfAFolderWithout_SaysHowToMakeOne()
    {
        using var folder = new TemporaryFolder();

        var error = Assert.Throws<OnnxFormatException>(() => ArtifactManifest.Load(folder.Path));

        Assert.Contains("ortpeft artifacts", error.Message, StringComparison.Ordinal);
    }

    /// <summary>The parser itself leaves strings alone until they are asked for.</summary>
    [Theory]
    [InlineData("\"r\"", "\"\\ud800\"")]
    [InlineData("\"LORA\"", "\"\\udc00\"")]
    public void Parse_OfAStringThatIsNotUnicode_SaysWhere(string text, string broken) =>
        Refused(Small.ToJson().Replace(text, broken, StringComparison.Ordinal), "not valid Unicode", "LineNumber");

    /// <summary>Whatever the bytes: a manifest, or the one typed error.</summary>
    [Fact]
    public void Parse_OfDamagedBytes_NeverFailsOtherwise()
    {
        var whole = Encoding.UTF8.GetBytes(Small.ToJson());
        var damage = Gen.Choose(0, whole.Length - 1).Zip(Gen.Choose(0, 255));

        var holds = Prop.ForAll(damage.ListOf().ToArbitrary(), changes =>
        {
            var bytes = whole.ToArray();
            foreach (var (place, value) in changes)
                bytes[place] = (byte)value;
            var error = Record.Exception(() => ArtifactManifest.Parse(bytes));
            return error is null or OnnxFormatException;
        });

        holds.Check(Config.QuickThrowOnFailure.WithMaxTest(5000).WithEndSize(10).WithReplay(20, 7));
        for (var length = 0; length < whole.Length; length += 7)
            Assert.Throws<OnnxFormatException>(() => ArtifactManifest.Parse(whole.AsSpan(0, length)));
    }

    private static ArtifactManifest Parse(string json) => ArtifactManifest.Parse(Encoding.UTF8.GetBytes(json));

    private static void Refused(string json, params string[] words)
    {
        var error = Assert.Throws<OnnxFormatException>(() => Parse(json));
        Assert.All(words, word => Assert.Contains(word, error.Message, StringComparison.Ordinal));
    }

    private static string Changed(Action<JsonObject> change)
    {
        var json = JsonNode.Parse(Small.ToJson())!.AsObject();
        change(json);
        return json.ToJsonString();
    }

    /// <summary>Of <c>$.a[0].b=JSON</c>: puts it there; without a value the field goes.</summary>
    private static void Set(JsonObject manifest, string change)
    {
        var sign = change.IndexOf('=', StringComparison.Ordinal);
        var (path, value) = (change[2..sign], change[(sign + 1)..]);
        var parts = path.Split(['.', '[', ']'], StringSplitOptions.RemoveEmptyEntries);
        JsonNode node = manifest;
        foreach (var part in parts[..^1])
            node = node is JsonArray list ? list[Index(part)]! : node[part]!;
        if (node is JsonArray target)
            target[Index(parts[^1])] = JsonNode.Parse(value);
        else if (value.Length == 0)
            node.AsObject().Remove(parts[^1]);
        else
            node[parts[^1]] = JsonNode.Parse(value);
    }

    private static int Index(string part) => int.Parse(part, CultureInfo.InvariantCulture);
}
