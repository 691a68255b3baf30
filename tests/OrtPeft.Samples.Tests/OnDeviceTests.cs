using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using OrtPeft.Adapters;
using OrtPeft.Adapters.Lora;
using OrtPeft.Artifacts;
using OrtPeft.Compilation.Artifacts;
using OrtPeft.Compilation.Objectives;
using OrtPeft.Compilation.Portable;
using OrtPeft.Models;
using OrtPeft.Onnx;
using OrtPeft.Tensors;
using OrtPeft.Testing;
using OrtPeft.Training.Data;

namespace OrtPeft.Samples.Tests;

/// <summary>The programs in <c>samples/ondevice-csharp</c>, each in its own process, on the golden batches.</summary>
public sealed class OnDeviceTests : IDisposable
{
    /// <summary>The golden runs' learning rate.</summary>
    private const string Rate = "0.01";

    private readonly TemporaryFolder _place = new();

    public void Dispose() => _place.Dispose();

    public static TheoryData<string, string> Programs
    {
        get
        {
            var data = new TheoryData<string, string>();
            foreach (var program in new[] { "OnDevice.Trainer", "OnDevice.Plain" })
                foreach (var run in new[] { "lora_all_randB", "prompt" })
                    data.Add(program, run);
            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Programs))]
    public void Program_OnTheGoldenBatches_GivesHfPeftsLosses_AndAnAdapter(string program, string name)
    {
        var golden = TrainRun.Open(name);
        var model = Artifacts(golden, name);

        var losses = Run(program);

        var expected = golden.Measured("const", "losses");
        Assert.Equal(expected.Length, losses.Count);
        // PyTorch's float64 against float32 over 20 steps.
        foreach (var (wanted, found) in expected.Zip(losses))
            Assert.Equal(wanted, found, 1e-4);
        var trained = PeftModel.Load(Base(), _place["adapter"]).GetWeights();
        Assert.Equal(model.GetWeights().Keys.Order(), trained.Keys.Order());
        foreach (var (key, tensor) in golden.All("final_const_64"))
            Near.Within(KeyBias.Left(key, tensor), KeyBias.Left(key, trained[key]), 1e-3, key);
    }

    /// <summary>
    /// Rows whose steps the trainer runs in one or two parts of its 256 tokens; the plain loop takes every step whole.
    /// float32's sums in another order over 20 steps.
    /// </summary>
    [Fact]
    public void Programs_OnStepsOfOneAndOfTwoParts_GiveTheSameLosses()
    {
        var source = Path.Combine(Fixtures.Folder, "..", "..", "models", "tiny-gpt2-apidocs");
        var model = PeftModel.Create(ModelSource.Open(source).Model, new LoraConfig { R = 2, InitLoraWeights = false });
        PortableArtifacts.Write(model, new CausalLm(), new ArtifactSettings(), _place["artifacts"]);
        int[] lengths = [9, 8, 7, 120, 120, 120, 12, 10, 11, 120, 115, 110, 6, 5, 4];
        File.WriteAllLines(_place["rows.jsonl"], lengths.Select(static (length, row) => JsonSerializer.Serialize(
            new { input_ids = Enumerable.Range(0, length).Select(i => ((row * 389) + (i * i * 17)) % 2000) })));

        var whole = Run("OnDevice.Plain");
        var parts = Run("OnDevice.Trainer");

        Assert.Equal(20, whole.Count);
        Assert.All(whole.Zip(parts), static pair => Assert.Equal(pair.First, pair.Second, 1e-3));
    }

    [Fact]
    public void Trainer_LoadsNoCodeForGraphs()
    {
        Artifacts(TrainRun.Open("lora_cattn"), "lora_cattn");

        Run("OnDevice.Trainer");

        var loaded = File.ReadAllLines(_place["loaded.txt"]);
        Assert.Contains("OrtPeft.Training", loaded);
        Assert.Contains("OrtPeft.Artifacts", loaded);
        string[] graphs = ["OrtPeft.Onnx", "OrtPeft.Autodiff", "OrtPeft.Adapters", "OrtPeft.Models", "Google.Protobuf"];
        Assert.Empty(loaded.Intersect(graphs));
    }

    [Fact]
    public void Plain_LoadsNothingOfOrtPeft()
    {
        Artifacts(TrainRun.Open("lora_cattn"), "lora_cattn");

        Run("OnDevice.Plain");

        var loaded = File.ReadAllLines(_place["loaded.txt"]);
        Assert.Contains("Microsoft.ML.OnnxRuntime", loaded);
        // The hook that lists them is in this test's own assembly.
        var hook = typeof(OnDeviceTests).Assembly.GetName().Name;
        Assert.DoesNotContain(loaded, name => name.StartsWith("OrtPeft", StringComparison.Ordinal) && name != hook);
    }

    [Theory]
    [InlineData("OnDevice.Trainer")]
    [InlineData("OnDevice.Plain")]
    public void Program_WithoutArtifacts_SaysWhatToGive(string program)
    {
        using var process = Start(program, Rate);

        Assert.Equal(
            $"{_place["artifacts"]} has no artifacts.json; give a folder that ortpeft artifacts wrote.\n",
            process.StandardError.ReadToEnd());
        process.WaitForExit();
        Assert.Equal(2, process.ExitCode);
    }

    [Theory]
    [InlineData("OnDevice.Trainer", """{"messages":[]}""")]
    [InlineData("OnDevice.Plain", """{"messages":[]}""")]
    [InlineData("OnDevice.Trainer", "{")]
    [InlineData("OnDevice.Plain", "{")]
    [InlineData("OnDevice.Trainer", """{"input_ids":["a","b"]}""")]
    [InlineData("OnDevice.Plain", """{"input_ids":["a","b"]}""")]
    [InlineData("OnDevice.Trainer", """{"input_ids":[1,2,3],"labels":[1]}""")]
    [InlineData("OnDevice.Plain", """{"input_ids":[1,2,3],"labels":[1]}""")]
    [InlineData("OnDevice.Trainer", null)]
    [InlineData("OnDevice.Plain", null)]
    public void Program_WithARowItCannotUse_SaysSoInOneLine(string program, string? row)
    {
        Artifacts(TrainRun.Open("lora_cattn"), "lora_cattn");
        File.Delete(_place["rows.jsonl"]);
        if (row is not null)
            File.WriteAllText(_place["rows.jsonl"], $$"""{"input_ids":[1,2,3]}{{'\n'}}{{row}}{{'\n'}}""");

        using var process = Start(program, Rate);

        var said = process.StandardError.ReadToEnd();
        Assert.Contains(_place["rows.jsonl"] + (row is null ? "" : ":2:"), said, StringComparison.Ordinal);
        Assert.Single(said.TrimEnd().Split('\n'));
        process.WaitForExit();
        Assert.Equal(2, process.ExitCode);
    }

    [Theory]
    [InlineData("OnDevice.Trainer")]
    [InlineData("OnDevice.Plain")]
    public void Program_WithADecimalComma_SaysHowToWriteIt(string program)
    {
        using var process = Start(program, "0,01");

        Assert.Equal("'20' steps at '0,01': write them as 20 and 0.001.\n", process.StandardError.ReadToEnd());
        process.WaitForExit();
        Assert.Equal(2, process.ExitCode);
    }

    [Fact]
    public void ArtifactsSample_WritesATrainedAdapter()
    {
        var first = Artifacts(TrainRun.Open("lora_cattn"), "lora_cattn").GetWeights();
        var rows = new ExampleReader(tokenizer: null).Read(_place["rows.jsonl"]);

        ArtifactsSample.Run(_place["artifacts"], _place["adapter"], new TokenDataset([.. rows]));

        var trained = PeftModel.Load(Base(), _place["adapter"]).GetWeights();
        Assert.All(trained, w => Assert.NotEqual(first[w.Key].ToFloat32(), w.Value.ToFloat32()));
    }

    private static Model Base() => ModelSource.Open(Path.Combine(Fixtures.Folder, "base", "g2l")).Model;

    private PeftModel Artifacts(TrainRun golden, string name)
    {
        var config = AdapterFolder.LoadConfig(golden.AdapterFolder);
        var model = PeftModel.Create(Base(), config, golden.All("init"), name);
        var options = new ArtifactSettings { Optimizer = new AdamWConfig { MaxGradNorm = 0 } };
        PortableArtifacts.Write(model, new CausalLm(), options, _place["artifacts"]);
        File.WriteAllLines(_place["rows.jsonl"], Enumerable.Range(0, 4).SelectMany(Rows));
        return model;
    }

    private static IEnumerable<string> Rows(int batch)
    {
        var tensors = TrainRun.Batch(batch);
        return Enumerable.Range(0, 3).Select(row => JsonSerializer.Serialize(
            tensors.ToDictionary(static t => t.Key, t => RowOf(t.Value, row))));
    }

    private static long[] RowOf(Tensor matrix, int row)
    {
        var columns = (int)matrix.Dims[1];
        return matrix.ToInt64().AsSpan(row * columns, columns).ToArray();
    }

    /// <summary>Runs a sample's build; what it prints is <c>step 1 loss 4.6</c>.</summary>
    private List<double> Run(string program)
    {
        using var process = Start(program, Rate);
        var errors = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, errors.Result);
        return [.. output.Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(static line => double.Parse(line.Split(' ')[3], CultureInfo.InvariantCulture))];
    }

    private Process Start(string program, string rate)
    {
        var configuration = Path.GetFileName(AppContext.BaseDirectory.TrimEnd(Path.DirectorySeparatorChar));
        var file = Path.Combine(AppContext.BaseDirectory, "..", "..", program, configuration, $"{program}.dll");
        string[] arguments = [file, _place["artifacts"], _place["rows.jsonl"], _place["adapter"], "20", rate];
        var start = new ProcessStartInfo("dotnet", arguments)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["DOTNET_STARTUP_HOOKS"] = typeof(OnDeviceTests).Assembly.Location;
        start.Environment[StartupHook.FileVariable] = _place["loaded.txt"];
        return Process.Start(start)!;
    }
}
