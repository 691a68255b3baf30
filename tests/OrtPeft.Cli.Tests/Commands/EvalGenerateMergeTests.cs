using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using OrtPeft.Cli.Tests.Running;
using OrtPeft.Models.Checkpoints;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Serialization;
using OrtPeft.Tensors;
using OrtPeft.Tensors.Safetensors;
using OrtPeft.Testing;

namespace OrtPeft.Cli.Tests.Commands;

public sealed class EvalGenerateMergeTests : IClassFixture<Workplace>
{
    private readonly Workplace _place;
    private readonly string _adapter;

    public EvalGenerateMergeTests(Workplace place)
    {
        _place = place;
        _adapter = place["adapter"];
        if (!Directory.Exists(_adapter))
        {
            CliRun.Of(
                "train", place.Model, "--data", place.Rows, "--out", _adapter, "--steps", "5", "--lr", "0.02",
                "--rank", "4", "--target", "all-linear", "--dropout", "0.1", "--threads", "1").Succeeded();
        }
    }

    [Fact]
    public void Eval_WithJson_AnswersOneDocument()
    {
        var json = CliRun.Of("eval", _place.Model, "--data", _place.Rows, "--json").Succeeded().Json;

        Assert.Equal(12, (int)json["rows"]!);
        Assert.Equal(69, (int)json["tokens"]!);
        Assert.Equal(Math.Exp((double)json["loss"]!), (double)json["perplexity"]!, 1e-6);
    }

    [Fact]
    public void Merge_OfAGraphInHalfPrecision_KeepsItsTypes()
    {
        var (half, adapter) = HalfWithAdapter();
        var merged = _place.Fresh();

        var run = CliRun.Of("merge", half, "--adapter", adapter, "--out", merged, "--json");

        Assert.Equal(0, run.ExitCode);
        Assert.True((bool)run.Json["keeps_graph"]!);
        Assert.True((int)run.Json["rounded_weights"]! > 0);
        Assert.InRange((double)run.Json["rounding_error"]!, 1e-6, 1);
        Assert.Equal(Types(half), Types(Path.Combine(merged, "model.onnx")));
    }

    [Fact]
    public void Merge_OfAGraphInHalfPrecision_IsInFloat32WhereAsked()
    {
        var (half, adapter) = HalfWithAdapter();
        var merged = _place.Fresh();

        var run = CliRun.Of("merge", half, "--adapter", adapter, "--out", merged, "--keep-float");

        Assert.Equal(0, run.ExitCode);
        Assert.Contains("float16", run.Error, StringComparison.Ordinal);
        Assert.All(Types(Path.Combine(merged, "model.onnx")), static t => Assert.DoesNotMatch("oat16$", t));
    }

    /// <summary>A sum that float16 has no number for would be infinite.</summary>
    [Fact]
    public void Merge_OfAGraphInHalfPrecision_WhenASumIsBeyondIt_SaysSo()
    {
        var (half, adapter) = HalfWithAdapter();
        var file = Path.Combine(adapter, "adapter_config.json");
        File.WriteAllText(file, Regex.Replace(File.ReadAllText(file), "\"lora_alpha\": [0-9.]+", "\"lora_alpha\": 1e12"));

        var run = CliRun.Of("merge", half, "--adapter", adapter, "--out", _place.Fresh());

        Assert.Equal(2, run.ExitCode);
        Assert.Contains("beyond Float16; give --keep-float", run.Error, StringComparison.Ordinal);
    }

    private (string Model, string Adapter) HalfWithAdapter()
    {
        var half = Path.Combine(Fixtures.Folder, "half", "t113_hf_op14_half.onnx");
        var rows = _place.Write("few.jsonl", """{"input_ids":[1,2,3,4,5,6]}""");
        var adapter = _place.Fresh();
        CliRun.Of("train", half, "--data", rows, "--out", adapter, "--steps", "1", "--rank", "2").Succeeded();
        return (half, adapter);
    }

    private static IEnumerable<string> Types(string file)
    {
        var graph = OnnxFile.Load(file).Graph;
        return graph.Initializers.Concat(graph.Inputs).Concat(graph.Outputs).Select(static v => $"{v.Name}: {v.Type}");
    }

    /// <summary>ONNX Runtime runs attention over a cache of the window's size only with one that has it, and a check has
    /// none.</summary>
    [Fact]
    public void Merge_OfAGraphWithASlidingWindow_IsVerifiedWithoutACache()
    {
        var model = OnnxFile.Load(Path.Combine(Fixtures.Folder, "exports", "genai_sinks.onnx"));
        foreach (var node in model.Graph.Nodes.Where(static n => n.OpType == "GroupQueryAttention"))
        {
            node.Attributes.Set(NodeAttribute.Of("local_window_size", 4L));
            node.Attributes.Set(NodeAttribute.Of("sliding_window_cache", 1L));
        }

        var (folder, adapter) = (Directory.CreateDirectory(_place.Fresh()).FullName, _place.Fresh());
        var file = Path.Combine(folder, "model.onnx");
        OnnxFile.Save(model, file);
        var rows = _place.Write("window.jsonl", """{"input_ids":[1,2,3,4,5,6,7,8]}""");
        var trained = CliRun.Of("train", file, "--data", rows, "--out", adapter, "--steps", "1", "--rank", "2");

        Assert.Contains("no genai_config.json beside it says its family", trained.Error, StringComparison.Ordinal);
        Assert.Equal(0, trained.ExitCode);
        CliRun.Of("merge", file, "--adapter", adapter, "--out", _place.Fresh()).Succeeded();
    }

    /// <summary>A graph of GenAI's builder without its description warns where it trains; where it does not, the refusal is
    /// all that is said.</summary>
    [Fact]
    public void Train_OfAGenAiGraphThatIsFedEmbeddings_SaysOneLine()
    {
        var model = OnnxFile.Load(Path.Combine(Fixtures.Folder, "exports", "genai_sinks.onnx"));
        var ids = model.Graph.Inputs.First(static i => i.Name == "input_ids");
        var looked = ids.Uses.First(static u => u.Node.OpType == "Gather").Node;
        var embeddings = model.Graph.AddInput(
            "inputs_embeds", ElementType.Float, [ids.Shape![0], ids.Shape[1], looked.Inputs[0]!.Initializer!.Dims[1]]);
        model.Graph.ReplaceAllUsesWith(looked.Output, embeddings);
        model.Graph.RemoveDeadCode();
        var folder = Directory.CreateDirectory(_place.Fresh()).FullName;
        var file = Path.Combine(folder, "model.onnx");
        OnnxFile.Save(model, file);
        var rows = _place.Write("embeds.jsonl", """{"input_ids":[1,2,3,4,5,6,7,8]}""");

        CliRun.Of("train", file, "--data", rows, "--out", _place.Fresh()).Refused(2, "inputs_embeds", "nothing that rows bring");
        CliRun.Of("inspect", file).Refused(2, "inputs_embeds");
    }

    /// <summary>The folder runs in ONNX Runtime GenAI as the base's does: its description comes along.</summary>
    [Theory]
    [InlineData(10, "--requantize")]
    [InlineData(0)]
    [InlineData(0, "--keep-float")]
    [InlineData(0, "--as", "branches")]
    public void Merge_OfGenAisFolder_KeepsItsGraphAndFiles(int requantized, params string[] options)
    {
        var folder = Path.Combine(Fixtures.Folder, "genai");
        var (source, merged) = (Path.Combine(folder, "llama-int4"), _place.Fresh());

        var run = CliRun.Of(
            ["merge", source, "--adapter", Path.Combine(folder, "llama-adapter-peft"), "--out", merged, "--json", .. options]);

        Assert.Equal(0, run.ExitCode);
        Assert.True((bool)run.Json["keeps_graph"]!);
        Assert.Equal(requantized, (int)run.Json["requantized_layers"]!);
        Assert.Equal(
            File.ReadAllBytes(Path.Combine(source, "genai_config.json")),
            File.ReadAllBytes(Path.Combine(merged, "genai_config.json")));
        var nodes = OnnxFile.Load(Path.Combine(merged, "model.onnx")).Graph.Nodes;
        Assert.Equal(2, nodes.Count(static n => n.OpType == "GroupQueryAttention"));
    }

    [Fact]
    public void Merge_WhenFloatIsToBeKeptBesideBranches_SaysThatNoLayerChanges() => Assert.Contains(
        "with branches no layer changes",
        CliRun.Of("merge", _place.Model, "--adapter", _adapter, "--out", _place.Fresh(), "--as", "branches", "--keep-float").Error,
        StringComparison.Ordinal);

    [Fact]
    public void Eval_WithAdapter_IsBetterOnItsData_AndDoesNotDependOnTheBatchSize()
    {
        var plain = Loss(_place.Model);
        var adapted = Loss(_place.Model, "--adapter", _adapter);
        var single = Loss(_place.Hf, "--adapter", _adapter, "--batch-size", "1");

        Assert.True(adapted < plain - 0.01, $"{adapted} < {plain}");
        Assert.Equal(adapted, single, 1e-5);
    }

    [Fact]
    public void Merge_GivesAnOnnxAndAnHfFolder_ThatAnswerAsTheAdapterDoes()
    {
        var merged = _place.Fresh();

        var json = CliRun.Of("merge", _place.Model, "--adapter", _adapter, "--out", merged, "--json").Succeeded().Json;

        Assert.InRange((double)json["largest_logit_difference"]!, 0, 1e-4);
        Assert.True(File.Exists(Path.Combine(merged, "tokenizer.json")));
        var expected = Loss(_place.Model, "--adapter", _adapter);
        Assert.Equal(expected, Loss(merged), 1e-5);
        File.Delete(Path.Combine(merged, "model.onnx"));
        Assert.Equal(expected, Loss(merged), 1e-5);
    }

    /// <summary>HF's libraries can load what is named: never an ONNX folder, and no base whose weights changed.</summary>
    [Fact]
    public void Train_NamesTheBaseThatHfsLibrariesLoad()
    {
        var (merged, again) = (_place.Fresh(), _place.Fresh());
        CliRun.Of("merge", _place.Model, "--adapter", _adapter, "--out", merged).Succeeded();

        Assert.Equal(_place.Hf, NameAfterTraining(_place.Hf));
        Assert.Equal(_place.Hf, NameAfterTraining(_place.Model));
        Assert.Equal(merged, NameAfterTraining(merged));
        File.Delete(Path.Combine(merged, "model.safetensors"));
        Assert.Null(NameAfterTraining(merged));
        Assert.Equal(_place.Hf, NameAfterTraining(merged, "--init-adapter", _adapter));

        string? NameAfterTraining(string model, params string[] options)
        {
            string[] common = ["--data", _place.Rows, "--out", again, "--steps", "1", "--overwrite", "--threads", "1"];
            CliRun.Of(["train", model, .. common, .. options]).Succeeded();
            var config = JsonNode.Parse(File.ReadAllText(Path.Combine(again, "adapter_config.json")))!;
            return (string?)config["base_model_name_or_path"];
        }
    }

    /// <summary>The HF folder keeps the base's types, and its description is true of it.</summary>
    [Theory]
    [InlineData(ElementType.BFloat16, "bfloat16")]
    [InlineData(ElementType.Float16, "float16")]
    [InlineData(ElementType.Float, "float32")]
    public void Merge_IntoAnHfFolder_KeepsTheTypeOfItsWeights(ElementType type, string name)
    {
        var (hf, merged) = (_place.Fresh(), _place.Fresh());
        Directory.CreateDirectory(hf);
        foreach (var file in Directory.GetFiles(_place.Hf))
            File.Copy(file, Path.Combine(hf, Path.GetFileName(file)));
        var config = JsonNode.Parse(File.ReadAllText(Path.Combine(hf, "config.json")))!;
        config["torch_dtype"] = "float64";
        File.WriteAllText(Path.Combine(hf, "config.json"), config.ToJsonString());
        var tensors = SafetensorsFile.Open(Path.Combine(_place.Hf, "model.safetensors")).Tensors;
        HfWeightFile.Save(
            hf, tensors.Select(static t => (t.Key, t.Value)), tensors.ToDictionary(static t => t.Key, _ => type), true);

        var result = CliRun.Of("merge", hf, "--adapter", _adapter, "--out", merged).Succeeded();

        var written = SafetensorsFile.Open(Path.Combine(merged, "model.safetensors")).Tensors;
        Assert.All(written.Values, t => Assert.Equal(type, t.Type));
        var description = JsonNode.Parse(File.ReadAllText(Path.Combine(merged, "config.json")))!;
        Assert.Equal(name, (string?)description["torch_dtype"]);
        Assert.Empty(result.Error);
        File.Delete(Path.Combine(merged, "model.onnx"));
        // eight bits of a bfloat16: weights are off by 0.2 %, the loss by less
        Assert.Equal(Loss(hf, "--adapter", _adapter), Loss(merged), 2e-3);
    }

    [Fact]
    public void Merge_OfFullFineTuning_Works()
    {
        var (adapter, merged) = (_place.Fresh(), _place.Fresh());
        string[] options = ["--steps", "2", "--method", "full"];
        CliRun.Of(["train", _place.Model, "--data", _place.Rows, "--out", adapter, .. options]).Succeeded();

        CliRun.Of("merge", _place.Model, "--adapter", adapter, "--out", merged).Succeeded();

        Assert.Equal(Loss(_place.Model, "--adapter", adapter), Loss(merged), 1e-5);
    }

    [Fact]
    public void Merge_WhenTheHeadIsTiedNoMore_WritesOnnxAlone()
    {
        var (adapter, merged) = (_place.Fresh(), _place.Fresh());
        string[] options = ["--steps", "2", "--target", "wte", "--lr", "0.1"];
        CliRun.Of(["train", _place.Model, "--data", _place.Rows, "--out", adapter, .. options]).Succeeded();

        CliRun.Of("merge", _place.Model, "--adapter", adapter, "--out", merged).Succeeded();

        Assert.False(File.Exists(Path.Combine(merged, "model.safetensors")));
        Assert.Equal(Loss(_place.Model, "--adapter", adapter), Loss(merged), 1e-5);
    }

    [Fact]
    public void Merge_IntoTheModelsFolder_IsRefused() =>
        CliRun.Of("merge", _place.Model, "--adapter", _adapter, "--out", _place.Model + "/", "--overwrite")
            .Refused(2, "own folder");

    [Fact]
    public void Merge_OfWeightsThatAreNoNumbers_LeavesNothing()
    {
        var (broken, merged) = (_place.CopyOf(_adapter, "nan-adapter"), _place.Fresh());
        Damage.FillWithNaN(Path.Combine(broken, "adapter_model.safetensors"));

        CliRun.Of("merge", _place.Model, "--adapter", broken, "--out", merged).Refused(1, "NaN", "nothing was written");

        Assert.False(Directory.Exists(merged));
    }

    [Fact]
    public void Generate_Greedy_RepeatsItself()
    {
        string[] options = ["--prompt", "the cat", "--max-new-tokens", "8"];
        string[] args = ["generate", _place.Model, "--adapter", _adapter, .. options];

        var first = CliRun.Of([.. args, "--json"]).Succeeded().Json;
        var second = CliRun.Of(args).Succeeded();

        Assert.Equal("the cat", (string?)first["prompt"]);
        Assert.InRange((int)first["tokens"]!, 1, 8);
        Assert.Contains((string?)first["finish_reason"], (string[])["length", "end_of_text"]);
        Assert.Equal((string?)first["text"] + "\n", second.Output);
    }

    [Fact]
    public void Generate_TakesThePromptFromStandardInput()
    {
        string[] options = ["--temperature", "0.9", "--top-k", "20", "--top-p", "0.9", "--seed", "4", "--json"];

        var piped = CliRun.With("the dog", ["generate", _place.Model, "--prompt", "-", .. options]).Succeeded().Json;
        var given = CliRun.Of(["generate", _place.Model, "--prompt", "the dog", .. options]).Succeeded().Json;

        Assert.Equal("the dog", (string?)piped["prompt"]);
        Assert.Equal((string?)given["text"], (string?)piped["text"]);
    }

    [Fact]
    public void Generate_OfMessages_AnswersWhatTheTemplateMakesOfThem()
    {
        var model = _place.CopyOf(_place.Model, $"chat-{Path.GetRandomFileName()}");
        var file = Path.Combine(model, "chat.json");
        File.WriteAllText(file, """[{"role":"user","content":"the cat"}]""");
        File.WriteAllText(
            Path.Combine(model, "chat_template.jinja"),
            "{% for m in messages %}{{ m.role[0] }}:{{ m.content }} {% endfor %}{% if add_generation_prompt %}a:{% endif %}");

        var chat = CliRun.Of("generate", model, "--messages", file, "--system", "be", "--max-new-tokens", "4", "--json")
            .Succeeded().Json;
        var text = CliRun.Of("generate", model, "--prompt", "s:be u:the cat a:", "--max-new-tokens", "4", "--json")
            .Succeeded().Json;

        Assert.Equal("s:be u:the cat a:", (string?)chat["prompt"]);
        Assert.Equal((string?)text["text"], (string?)chat["text"]);
    }

    [Fact]
    public void Generate_AtAStopText_EndsBeforeIt()
    {
        string[] args = ["generate", _place.Model, "--prompt", "the cat", "--max-new-tokens", "8", "--json"];
        var whole = (string?)CliRun.Of(args).Succeeded().Json["text"] ?? "";

        var cut = CliRun.Of([.. args, "--stop", whole[^3..]]).Succeeded().Json;

        Assert.Equal(whole[..whole.IndexOf(whole[^3..], StringComparison.Ordinal)], (string?)cut["text"]);
        Assert.Equal("stop", (string?)cut["finish_reason"]);
    }

    [Theory]
    [InlineData()]
    [InlineData("--prompt", "x", "--messages", "y")]
    [InlineData("--prompt", "x", "--system", "y")]
    public void Generate_WithoutOnePrompt_Refuses(params string[] options) =>
        CliRun.Of(["generate", _place.Model, .. options]).Refused(2, "--messages");

    [Fact]
    public void Generate_WithoutATokenizer_SaysWhereToNameOne()
    {
        var bare = _place.Fresh();
        CliRun.Of("init", "--preset", "tiny", "--out", bare).Succeeded();
        Workplace.DeleteTokenizer(bare);

        CliRun.Of("generate", bare, "--prompt", "x").Refused(2, bare, "--tokenizer");
    }

    private double Loss(string model, params string[] options) =>
        (double)CliRun.Of(["eval", model, "--data", _place.Rows, "--json", .. options]).Succeeded().Json["loss"]!;
}
