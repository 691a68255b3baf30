using System.Text.Json.Nodes;
using OrtPeft.Cli.Tests.Running;

namespace OrtPeft.Cli.Tests.Commands;

public sealed class VirtualTokenTests(Workplace place) : IClassFixture<Workplace>
{
    public static TheoryData<string, string> Methods => new()
    {
        { "prompt-tuning", "prompt_tuning_init=SAMPLE_VOCAB" },
        { "p-tuning", "encoder_hidden_size=16" },
        { "p-tuning", "encoder_reparameterization_type=LSTM" },
        { "prefix-tuning", "prefix_projection=true" },
        { "prefix-tuning", "init_weights=zero" },
    };

    [Theory]
    [MemberData(nameof(Methods))]
    public void Train_ThenEvalAndGenerate_TakeTheAdapter(string method, string field)
    {
        var adapter = place.Fresh();
        var training = Train(
            adapter, "--method", method, "--num-virtual-tokens", "4", "--set", field, "--steps", "12", "--lr", "0.03");

        training.Succeeded();

        var adapted = Loss("--adapter", adapter);
        Assert.True(adapted < Steps(adapter)[0], $"{adapted} < {Steps(adapter)[0]}");
        Assert.Equal(adapted, Loss("--adapter", adapter, "--batch-size", "1"), 1e-5);
        string[] generate = ["generate", place.Model, "--adapter", adapter, "--prompt", "the cat"];
        var answer = CliRun.Of([.. generate, "--max-new-tokens", "6", "--json"]).Succeeded().Json;
        Assert.InRange((int)answer["tokens"]!, 1, 6);
        CliRun.Of("merge", place.Model, "--adapter", adapter, "--out", place.Fresh()).Refused(2, "cannot be merged");
    }

    [Fact]
    public void Train_WithAText_StartsFromItsTokens()
    {
        var adapter = place.Fresh();
        string[] method = ["--method", "prompt-tuning", "--num-virtual-tokens", "3", "--prompt-init-text", "the dog"];

        Train(adapter, [.. method, "--steps", "1", "--lr", "0.001"]).Succeeded();

        var config = JsonNode.Parse(File.ReadAllText(Path.Combine(adapter, "adapter_config.json")))!;
        Assert.Equal("TEXT", (string?)config["prompt_tuning_init"]);
        Assert.Equal("the dog", (string?)config["prompt_tuning_init_text"]);
        Assert.Equal(place.Model, (string?)config["tokenizer_name_or_path"]);
        Assert.Equal(Workplace.Width, (int)config["token_dim"]!);
        Assert.True(Loss("--adapter", adapter) > 0);
    }

    [Fact]
    public void Train_WithATextAndNoTokenizer_SaysWhereToNameOne()
    {
        var bare = place.Fresh();
        CliRun.Of("init", "--preset", "tiny", "--out", bare).Succeeded();
        Workplace.DeleteTokenizer(bare);
        string[] options = ["--method", "prompt-tuning", "--prompt-init-text", "the dog"];

        CliRun.Of(["train", bare, "--data", place.Rows, "--out", place.Fresh(), .. options])
            .Refused(2, "the dog", bare, "--tokenizer");
    }

    [Fact]
    public void Train_WhenARowFillsTheContext_SaysWhatIsLeftOfIt()
    {
        var ids = string.Join(',', Enumerable.Range(0, Workplace.Context - 2));
        var rows = place.Write("long.jsonl", $$"""{"input_ids":[{{ids}}]}""");
        string[] options = ["--method", "prefix-tuning", "--num-virtual-tokens", "3"];

        CliRun.Of(["train", place.Model, "--data", rows, "--out", place.Fresh(), .. options])
            .Refused(2, $"{Workplace.Context - 3}");
    }

    [Fact]
    public void Train_WithMoreVirtualTokensThanPositions_SaysThatNoneIsLeft() =>
        Train(place.Fresh(), "--method", "prompt-tuning", "--num-virtual-tokens", $"{Workplace.Context}")
            .Refused(2, "virtual tokens", "none is left");

    [Fact]
    public void Train_OfAnotherMethod_HasNoVirtualTokens() =>
        Train(place.Fresh(), "--method", "lora", "--num-virtual-tokens", "4")
            .Refused(2, "--num-virtual-tokens", "lora");

    [Fact]
    public void Inspect_OfPrefixTuning_SaysWhatItTrains()
    {
        string[] options = ["--method", "prefix-tuning", "--num-virtual-tokens", "4", "--json"];

        var json = CliRun.Of(["inspect", place.Model, .. options]).Succeeded().Json;

        var expected = 4 * 2 * Workplace.Layers * Workplace.Width;
        Assert.Equal(expected, (int)json["method"]!["trainable_parameters"]!);
        Assert.Empty(json["method"]!["ops_without_gradient"]!.AsArray());
    }

    private CliRun Train(string adapter, params string[] options) => CliRun.Of(
        ["train", place.Model, "--data", place.Rows, "--out", adapter, "--threads", "1", .. options]);

    private double Loss(params string[] options) => (double)CliRun.Of(
        ["eval", place.Model, "--data", place.Rows, "--json", .. options]).Succeeded().Json["loss"]!;

    private static double[] Steps(string adapter) =>
    [
        .. File.ReadLines(Path.Combine(adapter, "metrics.jsonl")).Select(static l => JsonNode.Parse(l)!["loss"])
            .Where(static l => l is not null).Select(static l => (double)l!),
    ];
}
