using System.Text.Json;
using OrtPeft.Cli.Config;
using OrtPeft.Cli.Tests.Running;
using YamlDotNet.RepresentationModel;

namespace OrtPeft.Cli.Tests.Config;

/// <summary>A run's file is the command line in another form.</summary>
public sealed class RunFileTests(Workplace place) : IClassFixture<Workplace>
{
    private static readonly string[] Given = ["--steps", "2", "--batch-size", "2", "--threads", "1", "--lr", "0.01"];

    [Theory]
    [InlineData("model: {0}\ndata: {1}\nout: {2}\nsteps: 2\nbatch-size: 2\nthreads: 1\nlr: 0.01\n")]
    [InlineData("model: {0}\ndata: [{1}]\noutput_dir: {2}\nmax_steps: 2\nper_device_train_batch_size: 2\nthreads: 1\n"
        + "learning_rate: 1e-2\n")]
    [InlineData("{{\"model\": \"{0}\", \"data\": \"{1}\", \"out\": \"{2}\", \"steps\": 2, \"batch-size\": 2, \"threads\": 1, "
        + "\"lr\": 0.01, \"no-shuffle\": false, \"seed\": null}}")]
    public void Train_FromAFile_IsTheRunOfTheCommandLine(string text)
    {
        var (ofWords, ofFile) = (place.Fresh(), place.Fresh());
        CliRun.Of(["train", place.Model, "--data", place.Rows, "--out", ofWords, .. Given]).Succeeded();

        CliRun.Of("train", "--config", Write(text, ofFile)).Succeeded();

        Assert.Equal(Weights(ofWords), Weights(ofFile));
    }

    [Fact]
    public void Train_WithAnOptionToo_TakesTheOption()
    {
        var (unused, folder) = (place.Fresh(), place.Fresh());
        var file = Write("model: nosuch\ndata: {1}\nout: {2}\nsteps: 50\nbatch-size: 2\nthreads: 1\n", unused);

        var run = CliRun.Of("train", place.Model, "--config", file, "--out", folder, "--max-steps", "1").Succeeded();

        Assert.Contains("step 1/1: ", run.Output, StringComparison.Ordinal);
        Assert.False(Directory.Exists(unused));
    }

    /// <summary>What a run leaves is the whole run, whether words or a file gave it.</summary>
    [Fact]
    public void Train_FromWhatARunLeft_RepeatsItsBits()
    {
        var (first, second, third) = (place.Fresh(), place.Fresh(), place.Fresh());
        string[] more = ["--target", "c_attn,c_proj", "--rank", "3", "--no-shuffle", "--val-split", "0.3"];
        CliRun.Of(["train", place.Model, "--data", place.Rows, "--out", first, .. Given, .. more]).Succeeded();

        CliRun.Of("train", "--config", Path.Combine(first, "run.yaml"), "--out", second).Succeeded();
        CliRun.Of("train", "--config", Path.Combine(second, "run.yaml"), "--out", third).Succeeded();

        Assert.Equal(Weights(first), Weights(second));
        Assert.Equal(Weights(first), Weights(third));
        Assert.Equal(
            File.ReadAllText(Path.Combine(first, "run.yaml")).Replace(first, third, StringComparison.Ordinal),
            File.ReadAllText(Path.Combine(third, "run.yaml")));
    }

    /// <summary>Whatever a word is made of: what is written is what is read.</summary>
    [Theory]
    [InlineData("plain-1.5")]
    [InlineData("two words, [a] {b}: #c & *d !e | > ' \" \\ % @ `")]
    [InlineData("zoë, 日本語, 😀")]
    [InlineData("tab\tline\nreturn\r\u0007\u0085\u2028\uFEFF end ")]
    [InlineData("-")]
    [InlineData("~")]
    [InlineData("null")]
    [InlineData("True")]
    [InlineData("1e-3")]
    [InlineData("@rows.jsonl")]
    [InlineData(" led and trailed ")]
    public void Scalar_OfAnyText_ReadsBackAsTheText(string text)
    {
        using var yaml = new StringReader($"[{RunFileText.Scalar(text)}, {RunFileText.Scalar("next")}]");
        var stream = new YamlStream();

        stream.Load(yaml);

        var list = Assert.IsType<YamlSequenceNode>(stream.Documents[0].RootNode);
        Assert.Equal([text, "next"], list.Children.Select(static c => ((YamlScalarNode)c).Value));
    }

    [Theory]
    [InlineData("steps: 2\nbacth-size: 2\n", ":2: there is no key 'bacth-size'; did you mean batch-size?")]
    [InlineData("overwrite: true\n", ":1: there is no key 'overwrite'")]
    [InlineData("steps: 2\nmax_steps: 3\n", ":2: max_steps and another key both are --steps")]
    [InlineData("steps: 2\nsteps: 3\n", "steps")]
    [InlineData("steps: [2\n", "mend the file")]
    [InlineData("steps: {a: {b: c}}\n", "a list or mapping stands where a single value belongs")]
    [InlineData("no-shuffle: maybe\n", ":1: no-shuffle is 'maybe'; it must be true or false")]
    [InlineData("- steps\n", "one mapping of keys to values")]
    [InlineData("", "one mapping of keys to values")]
    [InlineData("steps: many\n", "many")]
    public void Train_FromAFileThatIsNotARun_SaysWhereAndWhy(string text, string reason)
    {
        var file = Path.Combine(Directory.CreateDirectory(place.Fresh()).FullName, "run.yaml");
        File.WriteAllText(file, text);

        CliRun.Of("train", place.Model, "--data", place.Rows, "--out", place.Fresh(), "--config", file).Refused(2, reason);
    }

    [Fact]
    public void Train_FromAFileThatIsMissing_SaysSo() =>
        CliRun.Of("train", "--config", "nosuch.yaml").Refused(2, "--config nosuch.yaml does not exist");

    /// <summary>The file to start from is one that runs once model, data and output are named.</summary>
    [Fact]
    public void InitConfig_IsAFileThatRuns()
    {
        var start = CliRun.Of("train", "--init-config").Succeeded().Output;
        var folder = place.Fresh();
        var text = start.Replace("model: FOLDER", $"model: {place.Model}", StringComparison.Ordinal)
            .Replace("data: \"FILE[@WEIGHT]...\"", $"data: {place.Rows}", StringComparison.Ordinal)
            .Replace("\nout: DIR", $"\nout: {folder}", StringComparison.Ordinal)
            .Replace("# epochs: 3", "epochs: 0.5", StringComparison.Ordinal);
        var file = Path.Combine(Directory.CreateDirectory(place.Fresh()).FullName, "run.yaml");
        File.WriteAllText(file, text);

        CliRun.Of("train", "--config", file).Succeeded();
    }

    [Fact]
    public void ConfigSchema_HasEveryKeyOfTheStartingFile()
    {
        using var schema = JsonDocument.Parse(CliRun.Of("train", "--config-schema").Succeeded().Output);
        var keys = CliRun.Of("train", "--init-config").Succeeded().Output.Split('\n')
            .Select(static line => line.TrimStart('#', ' '))
            .Where(static line => System.Text.RegularExpressions.Regex.IsMatch(line, "^[a-z0-9-]+: "))
            .Select(static line => line.Split(':')[0]);

        var known = schema.RootElement.GetProperty("properties").EnumerateObject().Select(static p => p.Name).ToHashSet();

        Assert.All(keys, key => Assert.Contains(key, known));
        Assert.Contains("learning_rate", known);
        Assert.False(schema.RootElement.GetProperty("additionalProperties").GetBoolean());
    }

    private string Write(string text, string folder)
    {
        var file = Path.Combine(Directory.CreateDirectory(place.Fresh()).FullName, "run.yaml");
        File.WriteAllText(file, string.Format(null, text, place.Model, place.Rows, folder));
        return file;
    }

    private static byte[] Weights(string folder) => File.ReadAllBytes(Path.Combine(folder, "adapter_model.safetensors"));
}
