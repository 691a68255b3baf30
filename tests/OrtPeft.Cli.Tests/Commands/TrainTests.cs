using System.Text.Json.Nodes;
using OrtPeft.Cli.Tests.Running;

namespace OrtPeft.Cli.Tests.Commands;

public sealed class TrainTests(Workplace place) : IClassFixture<Workplace>
{
    [Theory]
    [InlineData("--schedule linear --schedule-settings power=2", "The schedule linear has no setting power")]
    [InlineData("--schedule cosine_with_min_lr", "needs min_lr_rate; give it in --schedule-settings")]
    [InlineData("--schedule warmup_stable_decay --schedule-settings num_decay_steps=9 --steps 5", "num_decay_steps is 9")]
    [InlineData("--optim sgd --beta1 0.5", "--beta1 is not a setting of sgd")]
    [InlineData("--optim lion_32bit --momentum 0.5", "--momentum is not a setting of lion_32bit")]
    [InlineData("--nesterov", "--nesterov is not a setting of adamw_torch")]
    [InlineData("--optim sgd --nesterov --momentum 0", "--nesterov needs a momentum")]
    [InlineData("--optim sgd --momentum 1", "--momentum is 1; it must be at least 0 and below 1")]
    [InlineData("--optim adam", "--optim is 'adam'; it must be one of adamw_torch, adamw_8bit, adafactor,")]
    [InlineData("--optim adafactor --beta1 0.5", "--beta1 is not a setting of adafactor")]
    [InlineData("--muon-original-rate", "--muon-original-rate is not a setting of adamw_torch")]
    [InlineData("--optim schedule_free_adamw --schedule cosine", "--schedule is 'cosine', and schedule_free_adamw averages")]
    [InlineData("--neftune-noise-alpha 0", "--neftune-noise-alpha is 0; it must be above 0")]
    [InlineData("--schedule-settings power", "--schedule-settings has 'power'; it must be NAME=VALUE")]
    [InlineData("--schedule-settings power=1,power=2", "--schedule-settings has power twice")]
    public void Train_WithASettingOfRatesThatIsWrong_SaysSo(string options, string message) => CliRun.Of(
        ["train", place.Model, "--data", place.Rows, "--out", place.Fresh(), .. options.Split(' ')]).Refused(2, message);

    [Theory]
    [InlineData("--method qlora", "--method qlora: there is no method of that name; QLoRA is lora on a quantized base")]
    [InlineData("--method DoRA", "there is no method of that name; DoRA is --method lora --dora.")]
    [InlineData("--method prefix_tuning", "there is no method of that name; did you mean prefix-tuning?")]
    [InlineData("--method lroa", "there is no method of that name; did you mean lora?")]
    public void Train_WithAMethodUnderAnotherName_SaysHowToGiveIt(string options, string message) => CliRun.Of(
        ["train", place.Model, "--data", place.Rows, "--out", place.Fresh(), .. options.Split(' ')]).Refused(2, message);

    [Fact]
    public void Train_WithASchedulesSettings_FollowsThem()
    {
        var folder = place.Fresh();
        CliRun.Of(
            "train", place.Model, "--data", place.Rows, "--out", folder, "--steps", "4", "--lr", "0.01", "--seq-len", "8",
            "--schedule", "cosine_with_restarts", "--lr-scheduler-kwargs", "num_cycles=2", "--threads", "1");

        var rates = File.ReadLines(Path.Combine(folder, "metrics.jsonl")).Select(static line => JsonNode.Parse(line)!)
            .Select(static step => (double?)step["learning_rate"]).OfType<double>();
        Assert.Equal([0.01, 0.005, 0.01, 0.005], rates.Select(static r => Math.Round(r, 12)));
    }

    [Fact]
    public void Train_WritesAdapterMetricsAndCheckpoint()
    {
        var folder = place.Fresh();

        var run = Train(folder, "--steps", "6", "--eval-data", place.Rows, "--lr", "0.01", "--rank", "4").Succeeded();

        Assert.Equal(
            [
                "README.md", "adapter_config.json", "adapter_model.safetensors", "checkpoint.safetensors", "metrics.jsonl",
                "report.html", "run-info.json", "run.yaml",
            ],
            Directory.EnumerateFiles(folder).Select(static f => Path.GetFileName(f)).Order(StringComparer.Ordinal));
        Assert.Contains("step 1/6: loss ", run.Output, StringComparison.Ordinal);
        Assert.Contains("step 3: eval loss ", run.Output, StringComparison.Ordinal);
        Assert.Contains($"trainable params: {Workplace.LoraParameters(4)} ||", run.Output, StringComparison.Ordinal);
        var losses = Losses(folder);
        Assert.Equal(6, losses.Count);
        Assert.True(losses[^1] < losses[0]);
        var config = JsonNode.Parse(File.ReadAllText(Path.Combine(folder, "adapter_config.json")))!;
        Assert.Equal(place.Hf, (string?)config["base_model_name_or_path"]);
        Assert.Equal(4, (int)config["r"]!);
        Assert.Equal(8, (int)config["lora_alpha"]!);
        Assert.True((bool)config["fan_in_fan_out"]!);
    }

    [Fact]
    public void Train_BeforeItBegins_SaysWhatMemoryItTakes()
    {
        var run = Train(place.Fresh(), "--steps", "3", "--memory-limit", "1GB").Succeeded();

        Assert.Matches(@"memory: about \d+ MB: .* for weights, .* for activations\n", run.Output);
    }

    [Theory]
    [InlineData("40MB", "at least", "40 MB")]
    [InlineData("40", "'40'", "4GB")]
    public void Train_WithinALimitThatIsTooLow_SaysWhatItTakes(string limit, params string[] said) =>
        Train(place.Fresh(), "--steps", "3", "--memory-limit", limit).Refused(2, said);

    [Fact]
    public void Train_AtARateOfZero_WarnsThatNothingIsLearned() => Assert.Equal(
        "ortpeft: warning: --lr is 0, so nothing will be learned.\n",
        Train(place.Fresh(), "--steps", "1", "--lr", "0").Error);

    [Theory]
    [InlineData("c_attn", Workplace.LayerWidth + 1, Workplace.LayerWidth)]
    [InlineData("c_fc,c_attn", 3 * Workplace.LayerWidth, Workplace.LayerWidth)]
    [InlineData("c_attn", Workplace.LayerWidth, null)]
    public void Train_WithARankAboveALayersWidth_WarnsOfIt(string target, int rank, int? width)
    {
        var run = Train(place.Fresh(), "--steps", "1", "--target", target, "--rank", $"{rank}");

        Assert.Equal(0, run.ExitCode);
        if (width is null)
            Assert.Empty(run.Error);
        else
            Assert.StartsWith($"ortpeft: warning: rank {rank} is above {width}, the width of ", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Train_OnText_UsesTheModelsTokenizer()
    {
        string[] options = ["--epochs", "1", "--threads", "1", "--json"];

        var run = CliRun.Of(["train", place.Hf, "--data", place["text.jsonl"], "--out", place.Fresh(), .. options]);

        run.Succeeded();
        Assert.Equal(1, (int)run.Json["steps"]!);
        Assert.Equal(8 * 4 * Workplace.Width * Workplace.Layers, (long)run.Json["trainable_parameters"]!);
    }

    [Fact]
    public void Train_InterruptedAndResumed_EndsWithTheSameBits()
    {
        var (whole, parts) = (place.Fresh(), place.Fresh());
        string[] options = ["--steps", "10", "--dropout", "0.1", "--lr", "0.01", "--warmup-steps", "2", "--seed", "5"];
        Train(whole, options).Succeeded();

        var interrupted = CliRun.InterruptedAt("step 4/10", Arguments(parts, options));
        interrupted.Refused(130, "step 4 of 10", "--resume", parts);
        Assert.True(File.Exists(Path.Combine(parts, "adapter_model.safetensors")));
        CliRun.Of(Resuming(interrupted)).Succeeded();

        Assert.Equal(Adapter(whole), Adapter(parts));
        Assert.Equal(Losses(whole), Losses(parts));
    }

    [Fact]
    public void Train_OverAFinishedAdapter_IsRefused_UnlessOverwriteIsGiven()
    {
        var folder = place.Fresh();
        Train(folder, "--steps", "1").Succeeded();
        var before = Adapter(folder);

        Train(folder, "--steps", "2").Refused(2, folder, "adapter_model.safetensors", "--resume", "--overwrite");
        Assert.Equal(before, Adapter(folder));
        Train(folder, "--steps", "2", "--overwrite").Succeeded();
    }

    [Fact]
    public void Train_WithoutSteps_StartsFromAnInitialAdapter()
    {
        var (first, second) = (place.Fresh(), place.Fresh());
        Train(first, "--steps", "2", "--lr", "0.01", "--rank", "2", "--alpha", "5").Succeeded();

        var run = Train(second, "--steps", "1", "--lr", "0", "--init-adapter", first);

        Assert.Equal(0, run.ExitCode);
        Assert.Equal(Adapter(first), Adapter(second));
    }

    [Fact]
    public void Train_Full_WritesEveryParameter()
    {
        var folder = place.Fresh();

        var run = Train(folder, "--steps", "1", "--method", "full").Succeeded();

        Assert.Contains("trainable%: 100.0000", run.Output, StringComparison.Ordinal);
    }

    private CliRun Train(string folder, params string[] options) => CliRun.Of(Arguments(folder, options));

    private string[] Arguments(string folder, string[] options) =>
    [
        "train", place.Model, "--data", place.Rows, "--out", folder, "--batch-size", "4", "--threads", "1", .. options,
    ];

    /// <summary>The command that the message of an interrupted run gives.</summary>
    private static string[] Resuming(CliRun interrupted)
    {
        var command = interrupted.Error[interrupted.Error.IndexOf("ortpeft train", StringComparison.Ordinal)..];
        return command.TrimEnd('\n').Split(' ')[1..];
    }

    private static byte[] Adapter(string folder) =>
        File.ReadAllBytes(Path.Combine(folder, "adapter_model.safetensors"));

    private static List<double> Losses(string folder) => [.. File.ReadLines(Path.Combine(folder, "metrics.jsonl"))
        .Select(static line => JsonNode.Parse(line)!["loss"]).OfType<JsonNode>().Select(static loss => (double)loss)];
}
