using OrtPeft.Cli.Tests.Running;
using OrtPeft.Tensors.Storage;

namespace OrtPeft.Cli.Tests;

/// <summary>Every bad input ends in one line that names it, and leaves the output folder unmade.</summary>
public sealed class BadInputTests(Workplace place) : IClassFixture<Workplace>
{
    [Fact]
    public void MissingModel() => Refuses(place["none"], place.Rows, "none", "give an .onnx file");

    [Fact]
    public void EmptyModel() => Refuses("", place.Rows, "<model> is empty");

    [Fact]
    public void EmptyData() => Refuses(place.Model, "", "--data is empty");

    [Fact]
    public void TruncatedOnnx()
    {
        var model = place.CopyOf(place.Model, "truncated-onnx");
        Damage.Truncate(Path.Combine(model, "model.onnx"), 1000);

        Refuses(model, place.Rows, "model.onnx", "truncated");
    }

    [Fact]
    public void TruncatedExternalData()
    {
        var model = place.CopyOf(place.Model, "truncated-data");
        Damage.Truncate(Path.Combine(model, "model.onnx.data"), 1000);

        Refuses(model, place.Rows, "model.onnx", "1000 bytes");
    }

    [Fact]
    public void MissingExternalData()
    {
        var model = place.CopyOf(place.Model, "missing-data");
        File.Delete(Path.Combine(model, "model.onnx.data"));

        Refuses(model, place.Rows, "model.onnx.data");
    }

    [Fact]
    public void ExternalDataOutsideTheFolder()
    {
        var model = place.CopyOf(place.Model, "escaping");
        Damage.Replace(Path.Combine(model, "model.onnx"), "model.onnx.data", "../../etc/hosts");

        Refuses(model, place.Rows, "model.onnx", "../../etc/hosts", "outside");
    }

    [Fact]
    public void TruncatedSafetensors()
    {
        var model = place.CopyOf(place.Hf, "truncated-hf");
        Damage.Truncate(Path.Combine(model, "model.safetensors"), 5000);

        Refuses(model, place.Rows, "model.safetensors");
    }

    [Fact]
    public void HostileSafetensors()
    {
        var model = place.CopyOf(place.Hf, "hostile-hf");
        byte[] claimsExabytes = [255, 255, 255, 255, 255, 255, 255, 127, (byte)'{', (byte)'}'];
        File.WriteAllBytes(Path.Combine(model, "model.safetensors"), claimsExabytes);

        Refuses(model, place.Rows, "model.safetensors", "header");
    }

    [Fact]
    public void BrokenModelConfig()
    {
        var model = place.CopyOf(place.Hf, "broken-config");
        File.WriteAllText(Path.Combine(model, "config.json"), """{"model_type":"gpt2","n_layer":-1}""");

        Refuses(model, place.Rows, "config.json", "n_layer", "-1");
    }

    [Theory]
    [InlineData("""{"peft_type":"WONDER"}""", "WONDER", "LORA")]
    [InlineData("""{"r":8}""", "peft_type", "missing")]
    [InlineData("""{"peft_type":"LORA","r":0}""", "rank", "at least 1")]
    [InlineData("""{"peft_type":"LORA","r":"eight"}""", "r is \"eight\"", "whole number")]
    [InlineData("""{"peft_type":"LORA","use_qalora":true}""", "use_qalora", "not supported")]
    [InlineData("""{"peft_type":"LORA","target_modules":["q_proj"]}""", "q_proj", "c_attn")]
    [InlineData("""{"peft_type":"LORA",""", "not JSON", "adapter_config.json")]
    [InlineData("[]", "not a JSON object", "adapter_config.json")]
    public void BadPeftConfig(string json, params string[] said)
    {
        var file = place.Write($"{Path.GetRandomFileName()}/adapter_config.json", json);

        Refuses(place.Model, place.Rows, ["--peft-config", file], [file, .. said]);
    }

    [Theory]
    [InlineData("", "no rows")]
    [InlineData("{\"input_ids\":[1,2]}\n{\"input_ids\":[1,", ":2", "JSON")]
    [InlineData("{\"wonder\":1}", ":1", "input_ids")]
    [InlineData("{\"input_ids\":[1,2],\"labels\":[1,-7]}", ":1", "labels", "-7")]
    [InlineData("{\"input_ids\":[1,2],\"labels\":[1]}", ":1", "labels")]
    [InlineData("{\"input_ids\":[1,2],\"labels\":[-100,-100]}", "token to learn")]
    public void BadRows(string rows, params string[] said)
    {
        var file = place.Write($"{Path.GetRandomFileName()}/rows.jsonl", rows);

        Refuses(place.Model, file, [], [file, .. said]);
    }

    [Fact]
    public void TokensOutsideTheVocabulary()
    {
        var file = place.Write("outside.jsonl", $$"""{"input_ids":[1,2],"labels":[1,{{Workplace.Vocabulary}}]}""");

        Refuses(place.Model, file, file, ":1", "labels", $"{Workplace.Vocabulary}", $"0..{Workplace.Vocabulary - 1}");
    }

    [Fact]
    public void RowsLongerThanTheContext()
    {
        var ids = string.Join(',', Enumerable.Repeat(1, Workplace.Context + 1));
        var file = place.Write("long.jsonl", $$"""{"input_ids":[{{ids}}]}""");

        Refuses(place.Model, file, file, ":1", $"{Workplace.Context + 1}", $"--seq-len {Workplace.Context}");
    }

    [Fact]
    public void MissingRows() => Refuses(place.Model, place["none.jsonl"], "none.jsonl");

    [Fact]
    public void AdapterForAnotherModel()
    {
        var fixtures = Path.Combine(AppContext.BaseDirectory, "Fixtures");
        var adapter = place.CopyOf(Path.Combine(fixtures, "peft_ckpt", "g2l_lora_cattn_randB"), "foreign");

        Refuses(place.Model, place.Rows, ["--init-adapter", adapter], [adapter, "[4, 32]", "another model"]);
        CliRun.Of("eval", place.Model, "--adapter", adapter, "--data", place.Rows).Refused(2, adapter, "another model");
        var merged = place.Fresh();
        CliRun.Of("merge", place.Model, "--adapter", adapter, "--out", merged).Refused(2, adapter, "another model");
        Assert.False(Directory.Exists(merged));
    }

    [Fact]
    public void LogitsThatAreNoNumbers()
    {
        var (model, folder) = (place.CopyOf(place.Hf, "nan-model"), place.Fresh());
        Damage.FillWithNaN(Path.Combine(model, "model.safetensors"));

        var inspected = CliRun.Of("inspect", model);
        string[][] verbs =
        [
            ["train", model, "--data", place.Rows, "--out", folder], ["artifacts", model, "--out", folder],
            ["bench", model], ["bench", model, "--method", "ia3"],
        ];

        inspected.Refused(2, model, "does not train: its logits are not numbers", "NaN");
        Assert.All(verbs, words => Assert.Equal(inspected.Error, CliRun.Of(words).Error));
        Assert.False(Directory.Exists(folder));
    }

    [Fact]
    public void FullDiskAtTheFirstCheckpoint_LeavesNothingThatStandsInTheWay()
    {
        const int NoSpaceOnUnix = 28;
        var folder = place.Fresh();
        string[] words = ["train", place.Model, "--data", place.Rows, "--out", folder];

        using (FileSteps.Watch(static step =>
        {
            if (step.Contains("checkpoint.safetensors", StringComparison.Ordinal))
                throw new IOException("No space left on device", NoSpaceOnUnix);
        }))
        {
            CliRun.Of(words).Refused(1, "No space left", "--out");
        }

        Assert.False(File.Exists(Path.Combine(folder, "adapter_model.safetensors")));
        Assert.True(File.Exists(Path.Combine(folder, "metrics.jsonl")));
        CliRun.Of(words).Succeeded();
    }

    /// <summary>Of a folder's name and of a whole path: neither is worth a page of the same letter.</summary>
    [Theory]
    [InlineData(300)]
    [InlineData(5000)]
    public void OutputWithTooLongAName(int length)
    {
        var run = CliRun.Of("train", place.Model, "--data", place.Rows, "--out", place[new string('a', length)]);

        run.Refused(2, "too long");
        Assert.True(run.Error.Length < 250, run.Error);
    }

    [Theory]
    [InlineData("inspect")]
    [InlineData("train")]
    public void StandardOutputThatIsFull(string verb)
    {
        var folder = place.Fresh();
        string[] words = verb == "train"
            ? ["train", place.Model, "--data", place.Rows, "--steps", "2", "--out", folder]
            : [verb, place.Model];
        using var full = new FullWriter();
        using var output = new StandardOutput(full);

        var run = CliRun.Into(output, words);

        run.Refused(1, "Standard output cannot be written", "No space left");
        Assert.DoesNotContain("--out", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void OutputThatIsAFile() =>
        CliRun.Of("train", place.Model, "--data", place.Rows, "--out", place.Rows).Refused(2, place.Rows, "folder");

    [Fact]
    public void ResumeOfNothing() =>
        Refuses(place.Model, place.Rows, ["--resume"], ["checkpoint.safetensors", "without --resume"]);

    [Theory]
    [InlineData("step", "999999")]
    [InlineData("step", "2147483647")]
    [InlineData("step", "-3")]
    [InlineData("seconds", "NaN")]
    [InlineData("seconds", "-1")]
    public void ResumeOfACheckpointThatTellsOfAnotherRun(string key, string value)
    {
        var folder = place.Fresh();
        string[] words = ["train", place.Model, "--data", place.Rows, "--steps", "2", "--out", folder];
        CliRun.Of(words).Succeeded();
        var file = Path.Combine(folder, "checkpoint.safetensors");
        Damage.SetMetadata(file, key, value);

        CliRun.Of([.. words, "--resume"]).Refused(1, file, value, "without --resume");
    }

    [Theory]
    [InlineData("--batch-size", "0")]
    [InlineData("--seq-len", "1000000")]
    [InlineData("--schedule", "stairs")]
    [InlineData("--steps", "0")]
    [InlineData("--lr", "NaN")]
    [InlineData("--eval-steps", "2")]
    public void TrainingOptionOutOfRange(string option, string value) =>
        Refuses(place.Model, place.Rows, [option, value], []);

    private void Refuses(string model, string rows, params string[] said) => Refuses(model, rows, [], said);

    private void Refuses(string model, string rows, string[] options, string[] said)
    {
        var folder = place.Fresh();

        CliRun.Of(["train", model, "--data", rows, "--out", folder, .. options]).Refused(2, said);

        Assert.False(Directory.Exists(folder));
    }
}
