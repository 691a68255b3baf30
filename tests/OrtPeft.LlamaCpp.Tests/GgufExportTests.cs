using System.Text.Json;
using System.Text.Json.Nodes;
using OrtPeft.Adapters;
using OrtPeft.Adapters.Loha;
using OrtPeft.Adapters.Lokr;
using OrtPeft.Adapters.Vera;
using OrtPeft.Cli.Tests.Running;
using OrtPeft.Models;
using OrtPeft.Models.Checkpoints.Gguf;
using OrtPeft.Tensors;
using OrtPeft.Tensors.Safetensors;
using OrtPeft.Testing;
using OrtPeft.Tokenizers;

namespace OrtPeft.LlamaCpp.Tests;

/// <summary>What the command exports as GGUF, in llama.cpp itself.</summary>
public sealed class GgufExportTests : IDisposable
{
    private static readonly string Source = Path.Combine(Fixtures.Folder, "genai");

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("llama", "llama-fp32")]
    [InlineData("qwen2", "qwen2-int4")]
    public void LlamaCpp_WithAMergedModel_GivesPeftsTokens(string family, string tokenizer)
    {
        var model = Exported(Hf(family, tokenizer), "gguf", Adapter(family), "--outtype", "f32");

        using var run = new LlamaRun(model);

        Assert.Equal(Expected(family, "patterns"), run.Greedy(Prompt(family), 10));
    }

    /// <summary>Ranks and alphas of single modules are told by B, since the file names one alpha.</summary>
    [Theory]
    [InlineData("llama", "llama-fp32")]
    [InlineData("qwen2", "qwen2-int4")]
    public void LlamaCpp_WithTheAdapterBesideTheBase_GivesPeftsTokens(string family, string tokenizer)
    {
        var hf = Hf(family, tokenizer);
        var model = Exported(hf, "gguf", [], "--outtype", "f32");
        var lora = Path.Combine(_folder["lora"], "a.gguf");
        CliRun.Of(["export", hf, .. Adapter(family), "--format", "gguf-lora", "--out", _folder["lora"]]).Succeeded();

        using var alone = new LlamaRun(model);
        using var adapted = new LlamaRun(model, lora);

        // The base's second likeliest token is once 0.0005 behind, which is less than llama.cpp's kernels round.
        Assert.Equal(Expected(family, "base")[..3], alone.Greedy(Prompt(family), 3));
        Assert.Equal(Expected(family, "patterns"), adapted.Greedy(Prompt(family), 10));
    }

    /// <summary>Methods whose change is written as a product of two factors.</summary>
    [Theory]
    [InlineData("vera")]
    [InlineData("loha")]
    [InlineData("lokr")]
    public void LlamaCpp_WithAMethodThatBecomesLora_GivesTheMergedModelsLogits(string method)
    {
        PeftConfig config = method switch
        {
            "vera" => new VeraConfig { R = 3, TargetModules = ["q_proj", "v_proj", "down_proj"], InitWeights = false },
            "loha" => new LohaConfig { R = 2, Alpha = 3, TargetModules = ["k_proj", "o_proj", "up_proj"], InitWeights = false },
            _ => new LokrConfig { R = 1, Alpha = 2, TargetModules = ["q_proj", "k_proj", "gate_proj"], InitWeights = false },
        };
        var hf = Hf("llama", "llama-fp32");
        PeftModel.Create(ModelSource.Open(hf).Model, config, seed: 4).Save(_folder["adapter"]);
        string[] adapter = ["--adapter", $"a={_folder["adapter"]}"];
        var model = Exported(hf, "gguf", [], "--outtype", "f32");
        CliRun.Of(["export", hf, .. adapter, "--format", "gguf-lora", "--out", _folder["lora"]]).Succeeded();
        CliRun.Of(["export", hf, .. adapter, "--format", "gguf", "--outtype", "f32", "--out", _folder["merged"]]).Succeeded();
        using var alone = new LlamaRun(model);
        using var adapted = new LlamaRun(model, Path.Combine(_folder["lora"], "a.gguf"));
        using var merged = new LlamaRun(Path.Combine(_folder["merged"], "model.gguf"));

        var (expected, found) = (merged.Logits(Prompt("llama")), adapted.Logits(Prompt("llama")));

        Assert.All(expected.Zip(found), static p => Assert.Equal(p.First, p.Second, 5e-3));
        Assert.Contains(expected.Zip(alone.Logits(Prompt("llama"))), static p => Math.Abs(p.First - p.Second) > 0.05);
    }

    /// <summary>Families with golden tokens of transformers.</summary>
    [Theory]
    [InlineData("llama")]
    [InlineData("qwen2")]
    [InlineData("qwen3")]
    [InlineData("phi3")]
    public void LlamaCpp_WithAFamilysModel_GivesTransformersTokens(string family)
    {
        var hf = FamilyFolder(family);
        using var golden = JsonDocument.Parse(
            File.ReadAllText(Path.Combine(Fixtures.Folder, "families", family, "golden.json")));
        int[] prompt = [.. golden.RootElement.GetProperty("greedy").GetProperty("prompt").EnumerateArray().Select(static e => e.GetInt32())];
        int[] greedy = [.. golden.RootElement.GetProperty("greedy").GetProperty("tokens").EnumerateArray().Select(static e => e.GetInt32())];

        using var run = new LlamaRun(Exported(hf, "gguf", [], "--outtype", "f32"));

        Assert.Equal(greedy, run.Greedy(prompt, greedy.Length));
    }

    /// <summary>Pieces of SentencePiece, which llama.cpp merges by scores, and splits of Llama 3; both begin texts with a token.
    /// </summary>
    [Theory]
    [InlineData("llama2")]
    [InlineData("llama3")]
    public void LlamaCpp_ReadsTextsAsTheTokenizer(string name)
    {
        string[] texts =
        [
            "Hello, world!", " a  b", "don't can't\n\n we'll", "1234567890 3.14", "né Łódź Ünïcödé 数据 👍", "<s>x</s>", "  two", "\ttab",
        ];
        var hf = WithTokenizer(name);
        var tokenizer = TokenizerFolder.Load(hf);

        using var run = new LlamaRun(Exported(hf, "gguf", [], "--outtype", "f32"));

        Assert.All(texts, text => Assert.Equal(tokenizer.Encode(text), run.Tokens(text)));
        Assert.Equal($"{tokenizer.BeginOfTextId}", run.Metadata["tokenizer.ggml.bos_token_id"]);
        Assert.Equal("true", run.Metadata["tokenizer.ggml.add_bos_token"]);
    }

    /// <summary>Splits by each name, of the tokens of Llama 3's tokenizer.</summary>
    [Theory]
    [InlineData("gpt-2")]
    [InlineData("smollm")]
    [InlineData("llama-bpe")]
    [InlineData("dbrx")]
    [InlineData("qwen2")]
    [InlineData("tekken")]
    [InlineData("gpt-4o")]
    [InlineData("deepseek-coder")]
    [InlineData("deepseek-v3")]
    public void LlamaCpp_SplitsTextsAsItsNameMeansHere(string name)
    {
        string[] texts =
        [
            "Hello, world!", " a  b", "don't CAN'T\n\n we'll", "1234567890 3.14", "camelCase HTTPServer iPhone", "né Łódź Ünïcödé 数据 👍",
            "http://a/b//c\r\n\r\n/d", "\ttab  \n  x", "x²½Ⅷ", "...!!!///",
        ];
        var splits = GgufSplits.Of(name)!;
        var hf = WithTokenizer("llama3");
        Edit(hf, json =>
        {
            json["pre_tokenizer"] = splits.PreTokenizer();
            json["model"]!["ignore_merges"] = splits.IgnoresMerges;
        });
        var tokenizer = TokenizerFolder.Load(hf);

        using var run = new LlamaRun(Exported(hf, "gguf", [], "--outtype", "f32"));

        Assert.Equal(name, run.Metadata["tokenizer.ggml.pre"]);
        Assert.All(texts, text => Assert.Equal(tokenizer.Encode(text), run.Tokens(text)));
    }

    /// <summary>Newer conversions of SentencePiece's models put the space in by a pre-tokenizer, which leaves out what llama.cpp
    /// always does.</summary>
    [Theory]
    [InlineData("first", false, " a", "<s>x</s>")]
    [InlineData("always", false, " a", null)]
    [InlineData("never", true, "a  b", null)]
    [InlineData(null, true, " a", "a  b")]
    public void ATokenizerWhoseSpacesDiffer_IsWrittenWithAWarning(string? scheme, bool splits, string text, string? other)
    {
        var hf = WithTokenizer("llama2");
        Edit(hf, json => Metaspace(json, scheme, splits));
        var tokenizer = TokenizerFolder.Load(hf);

        var printed = CliRun.Of("export", hf, "--format", "gguf", "--outtype", "f32", "--out", _folder["gguf"], "--threads", "1");

        using var run = new LlamaRun(Path.Combine(_folder["gguf"], "model.gguf"));
        Assert.All((string[])["Hello", "Hello world", "two words"], t => Assert.Equal(tokenizer.Encode(t), run.Tokens(t)));
        Assert.NotEqual(tokenizer.Encode(text), run.Tokens(text));
        if (other is not null)
            Assert.NotEqual(tokenizer.Encode(other), run.Tokens(other));
        Assert.Equal(0, printed.ExitCode);
        Assert.Contains("tokenizer.json: llama.cpp ", printed.Error, StringComparison.Ordinal);
    }

    /// <summary>The same spaces in other words: no warning, and the same tokens.</summary>
    [Theory]
    [InlineData("never", "a  b", "Hello")]
    [InlineData("legacy", " a", "a  b")]
    public void ATokenizerWhoseSpacesAreLlamaCpps_IsWrittenWithoutAWarning(string form, string text, string other)
    {
        var hf = WithTokenizer("llama2");
        Edit(hf, json =>
        {
            Metaspace(json, form == "never" ? form : null, splits: false);
            if (form == "legacy")
                json["pre_tokenizer"]!["add_prefix_space"] = false;
        });
        var tokenizer = TokenizerFolder.Load(hf);

        CliRun.Of("export", hf, "--format", "gguf", "--outtype", "f32", "--out", _folder["gguf"], "--threads", "1").Succeeded();

        using var run = new LlamaRun(Path.Combine(_folder["gguf"], "model.gguf"));
        Assert.All((string[])[text, other, "<s>x"], t => Assert.Equal(tokenizer.Encode(t), run.Tokens(t)));
    }

    /// <summary>Steps of the right kind that do something else.</summary>
    [Theory]
    [InlineData("""{"type":"Replace","pattern":{"String":"a"},"content":"▁"}""")]
    [InlineData("""{"type":"Replace","pattern":{"String":" "},"content":"_"}""")]
    [InlineData("""{"type":"Prepend","prepend":"x"}""")]
    [InlineData("""{"type":"Lowercase"}""")]
    [InlineData("null")]
    public void ANormalizerThatDoesSomethingElse_IsRefused(string normalizer)
    {
        var hf = WithTokenizer("llama2");
        Edit(hf, json => json["normalizer"] = JsonNode.Parse(normalizer));

        CliRun.Of("export", hf, "--format", "gguf", "--out", _folder["out"]).Refused(2, "tokenizer.json", "convert_hf_to_gguf.py");

        Assert.False(Directory.Exists(_folder["out"]));
    }

    private static void Metaspace(JsonObject json, string? scheme, bool splits)
    {
        json["normalizer"] = null;
        json["pre_tokenizer"] = new JsonObject { ["type"] = "Metaspace", ["replacement"] = "▁", ["split"] = splits };
        if (scheme is not null)
            json["pre_tokenizer"]!["prepend_scheme"] = scheme;
    }

    private static void Edit(string hf, Action<JsonObject> change)
    {
        var path = Path.Combine(hf, "tokenizer.json");
        var json = JsonNode.Parse(File.ReadAllText(path))!.AsObject();
        change(json);
        File.WriteAllText(path, json.ToJsonString());
    }

    private string WithTokenizer(string name)
    {
        var hf = FamilyFolder("llama");
        File.Copy(Path.Combine(Fixtures.Folder, "gguf", $"{name}-tokenizer.json"), Path.Combine(hf, "tokenizer.json"), overwrite: true);
        File.Copy(
            Path.Combine(Fixtures.Folder, "gguf", $"{name}-tokenizer_config.json"), Path.Combine(hf, "tokenizer_config.json"));
        Widen(hf, 648);
        return hf;
    }

    /// <summary>Gives the embedding more rows, which mean nothing.</summary>
    private static void Widen(string hf, int rows)
    {
        var path = Path.Combine(hf, "config.json");
        var config = JsonNode.Parse(File.ReadAllText(path))!;
        config["vocab_size"] = rows;
        File.WriteAllText(path, config.ToJsonString());
        var file = Path.Combine(hf, SafetensorsCheckpoint.FileName);
        var tensors = SafetensorsFile.Open(file).Tensors.Select(t => (t.Key, t.Key.Contains("embed_tokens", StringComparison.Ordinal)
            || t.Key.Contains("lm_head", StringComparison.Ordinal)
            ? Tensor.Of<float>(
                [.. Enumerable.Range(0, rows * (int)t.Value.Dims[1]).Select(static i => MathF.Sin(i))], [rows, t.Value.Dims[1]])
            : Tensor.Of<float>(t.Value.ToFloat32(), t.Value.Dims.AsSpan()))).ToList();
        SafetensorsFile.Save(file + ".new", tensors.Select(static t => (t.Key, t.Item2)), new Dictionary<string, string>());
        File.Move(file + ".new", file, overwrite: true);
    }

    /// <summary>llama.cpp's Llama sees everything; beyond the window it would answer otherwise.</summary>
    [Fact]
    public void AModelWithAWindow_IsRefused_AndNothingIsWritten()
    {
        var hf = FamilyFolder("mistral");

        CliRun.Of("export", hf, "--format", "gguf", "--out", _folder["out"]).Refused(2, $"{hf}: ", "a window of 4 tokens");

        Assert.False(Directory.Exists(_folder["out"]));
    }

    /// <summary>Texts would be read otherwise.</summary>
    [Fact]
    public void ATokenizerThatLlamaCppDoesNotHave_IsRefused()
    {
        var hf = FamilyFolder("llama");
        var path = Path.Combine(hf, "tokenizer.json");
        File.WriteAllText(path, File.ReadAllText(path).Replace("\"use_regex\":true", "\"use_regex\":false", StringComparison.Ordinal));

        CliRun.Of("export", hf, "--format", "gguf", "--out", _folder["out"]).Refused(2, "tokenizer.json", "pre_tokenizer");
    }

    [Fact]
    public void AFamilyThatLlamaCppIsNotToldOf_IsRefused() => CliRun.Of(
        "export", Path.Combine(Fixtures.Folder, "families", "opt"), "--format", "gguf", "--out", _folder["out"])
        .Refused(2, "opt", "export hf");

    private string FamilyFolder(string family)
    {
        var source = Path.Combine(Fixtures.Folder, "families", family);
        var hf = Directory.CreateDirectory(_folder["hf"]).FullName;
        foreach (var name in (string[])["config.json", "model.safetensors"])
            File.Copy(Path.Combine(source, name), Path.Combine(hf, name));
        using var config = JsonDocument.Parse(File.ReadAllText(Path.Combine(source, "config.json")));
        File.WriteAllText(Path.Combine(hf, "tokenizer.json"), ByteTokenizer(config.RootElement.GetProperty("vocab_size").GetInt32()));
        return hf;
    }

    private static string ByteTokenizer(int vocabulary)
    {
        var next = 256;
        var tokens = Enumerable.Range(0, Math.Min(256, vocabulary))
            .Select(b => b is (>= 33 and <= 126) or (>= 161 and <= 172) or >= 174 ? $"{(char)b}" : $"{(char)next++}").ToArray();
        return JsonSerializer.Serialize(new
        {
            version = "1.0",
            added_tokens = Array.Empty<string>(),
            pre_tokenizer = new { type = "ByteLevel", add_prefix_space = false, trim_offsets = true, use_regex = true },
            decoder = new { type = "ByteLevel", add_prefix_space = true, trim_offsets = true, use_regex = true },
            model = new
            {
                type = "BPE",
                vocab = tokens.Index().ToDictionary(static t => t.Item, static t => t.Index),
                merges = Array.Empty<string>(),
            },
        });
    }

    /// <summary>A small net in which rounding spreads is no reason to refuse: weights are judged, logits told.</summary>
    [Fact]
    public void AMergedModel_IsWrittenInHalfPrecision() =>
        Exported(Hf("llama", "llama-fp32"), "gguf", ["--adapter", Path.Combine(Source, "llama-adapter-peft")], "--outtype", "f16");

    [Theory]
    [InlineData("f16", 0.05)]
    [InlineData("bf16", 0.5)]
    [InlineData("q8_0", 2)]
    public void LlamaCpp_WithRoundedMatrices_GivesNearlyTheSameLogits(string type, double tolerance)
    {
        var hf = Hf("llama", "llama-fp32");
        using var exact = new LlamaRun(Exported(hf, "gguf", [], "--outtype", "f32"));
        using var rounded = new LlamaRun(Exported(hf, "gguf", [], "--outtype", type));

        var (expected, found) = (exact.Logits(Prompt("llama")), rounded.Logits(Prompt("llama")));

        Assert.All(expected.Zip(found), pair => Assert.InRange(pair.First - pair.Second, -tolerance, tolerance));
        Assert.NotEqual(expected, found);
    }

    [Theory]
    [InlineData("llama", "llama-fp32")]
    [InlineData("qwen2", "qwen2-int4")]
    public void LlamaCpp_ReadsTextsAndTemplateAsTheTokenizersFilesSay(string family, string tokenizer)
    {
        const string Text = "<|im_start|>user\nThe cat's 12 mats, 数 and\n\n  more.<|im_end|>";
        var hf = Hf(family, tokenizer);

        using var run = new LlamaRun(Exported(hf, "gguf", [], "--outtype", "f32"));

        Assert.Equal(TokenizerFolder.Load(hf).Encode(Text), run.Tokens(Text));
        Assert.Equal(File.ReadAllText(Path.Combine(hf, "chat_template.jinja")), run.Metadata["tokenizer.chat_template"]);
    }

    private static string[] Adapter(string family) => ["--adapter", $"a={Path.Combine(Source, $"{family}-adapter-peft-patterns")}"];

    private string Exported(string hf, string format, string[] adapter, params string[] options)
    {
        var folder = _folder[$"{format}-{options[^1]}"];
        CliRun.Of(["export", hf, .. adapter, "--format", format, .. options, "--out", folder, "--threads", "1"]).Succeeded();
        return Assert.Single(Directory.EnumerateFiles(folder));
    }

    /// <summary>HF's folder with the tokenizer that GenAI's builder kept.</summary>
    private string Hf(string family, string tokenizer)
    {
        var folder = Directory.CreateDirectory(_folder["hf"]).FullName;
        foreach (var name in (string[])["config.json", "model.safetensors"])
            File.Copy(Path.Combine(Source, $"{family}-hf", name), Path.Combine(folder, name));
        foreach (var name in (string[])["tokenizer.json", "tokenizer_config.json", "chat_template.jinja"])
            File.Copy(Path.Combine(Source, tokenizer, name), Path.Combine(folder, name));
        return folder;
    }

    private static int[] Prompt(string family) => Values(family, static root => root.GetProperty("ids"))[..6];

    private static int[] Expected(string family, string adapter) =>
        Values(family, root => root.GetProperty(adapter).GetProperty("greedy"));

    private static int[] Values(string family, Func<JsonElement, JsonElement> of)
    {
        using var expected = JsonDocument.Parse(File.ReadAllText(Path.Combine(Source, $"{family}-fp32", "expected.json")));
        return [.. of(expected.RootElement).EnumerateArray().Select(static e => e.GetInt32())];
    }
}
