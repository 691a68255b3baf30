using System.Text.Json.Nodes;
using OrtPeft.Cli.Tests.Running;

namespace OrtPeft.Cli.Tests.Commands;

public sealed class SeveralAdaptersTests : IClassFixture<Workplace>
{
    private readonly Workplace _place;
    private readonly string _one;
    private readonly string _two;

    public SeveralAdaptersTests(Workplace place)
    {
        _place = place;
        _one = Trained("both/one", "--seed", "1");
        _two = Trained("both/two", "--seed", "2", "--target", "c_attn,c_proj", "--alpha", "4");
    }

    [Fact]
    public void Merge_OfTwo_AnswersAsBothDoAtOnce()
    {
        var (merged, first) = (_place.Fresh(), _place.Fresh());
        string[] both = ["--adapter", _one, "--adapter", _two];

        CliRun.Of(["merge", _place.Model, .. both, "--out", merged]).Succeeded();

        var expected = Loss(_place.Model, both);
        Assert.NotEqual(Loss(_place.Model, "--adapter", _one), expected, 1e-4);
        Assert.Equal(expected, Loss(merged), 1e-5);
        CliRun.Of("merge", _place.Model, "--adapter", _one, "--out", first).Succeeded();
        Assert.Equal(expected, Loss(first, "--adapter", _two), 1e-5); // one on the other merged
    }

    [Fact]
    public void Generate_WithTwo_IsTheMergedModelsText()
    {
        var merged = _place.Fresh();
        string[] both = ["--adapter", _one, "--adapter", _two];
        string[] prompt = ["--prompt", "the cat", "--max-new-tokens", "6", "--json"];
        CliRun.Of(["merge", _place.Model, .. both, "--out", merged]).Succeeded();

        var text = CliRun.Of(["generate", _place.Model, .. both, .. prompt]).Succeeded().Json["text"];

        Assert.Equal((string?)CliRun.Of(["generate", merged, .. prompt]).Succeeded().Json["text"], (string?)text);
    }

    [Fact]
    public void Adapter_OfAFolderWithOneInside_IsThatOne()
    {
        var outer = _place.Fresh();
        _place.CopyOf(_one, Path.Combine(Path.GetFileName(outer), "chat"));

        Assert.Equal(Loss(_place.Model, "--adapter", _one), Loss(_place.Model, "--adapter", outer));
    }

    [Fact]
    public void Mix_IntoOneOfItsAdapters_IsRefused_AndLeavesIt()
    {
        var before = File.ReadAllBytes(Path.Combine(_two, "adapter_model.safetensors"));

        Mix(_two, "--adapter", _one, "--adapter", _two, "--type", "cat", "--overwrite").Refused(2, "--out", "must stay");

        Assert.Equal(before, File.ReadAllBytes(Path.Combine(_two, "adapter_model.safetensors")));
    }

    [Fact]
    public void Artifacts_IntoTheAdapterTheyStartFrom_AreRefused() =>
        CliRun.Of("artifacts", _place.Model, "--init-adapter", _one, "--out", _one, "--overwrite")
            .Refused(2, "--out", "must stay");

    [Fact]
    public void Adapter_OfAFolderWithSeveralInside_NamesThem() =>
        Eval("--adapter", _place["both"]).Refused(2, "several adapters", _one, _two);

    [Fact]
    public void Adapter_GivenTwice_IsRefused() =>
        Eval("--adapter", _one, "--adapter", _one + "/").Refused(2, _one, "twice");

    [Fact]
    public void Adapter_WhenTheSecondIsMissing_NamesIt() =>
        Eval("--adapter", _one, "--adapter", _place["none"]).Refused(2, _place["none"], "does not exist");

    [Fact]
    public void Adapters_ThatDoMoreThanAdd_AreRefusedTogether()
    {
        var vectors = Trained("both-but-vectors", "--method", "ia3");

        Eval("--adapter", _one, "--adapter", vectors)
            .Refused(2, "'both-but-vectors'", "IA3", "merge one into the base");
    }

    [Fact]
    public void Mix_ByCat_IsTheSum()
    {
        var mixed = _place.Fresh();

        var json = Mix(mixed, "--adapter", _one, "--adapter", _two, "--type", "cat", "--json").Succeeded().Json;

        Assert.Equal(("cat", 6), ((string?)json["type"], (int)json["rank"]!));
        var sum = Loss(_place.Model, "--adapter", _one, "--adapter", _two);
        Assert.Equal(sum, Loss(_place.Model, "--adapter", mixed), 1e-5);
        Assert.Equal(["adapter_config.json", "adapter_model.safetensors"], Files(mixed));
    }

    [Fact]
    public void Mix_OfOne_MultipliesItsChange()
    {
        var (none, back) = (_place.Fresh(), _place.Fresh());

        Mix(none, "--adapter", $"{_one}=0").Succeeded();
        Mix(back, "--adapter", $"{_one}=1").Succeeded();

        Assert.Equal(Loss(_place.Model), Loss(_place.Model, "--adapter", none), 1e-6);
        Assert.Equal(Loss(_place.Model, "--adapter", _one), Loss(_place.Model, "--adapter", back), 1e-6);
    }

    [Theory]
    [InlineData("svd", "--svd-rank", "2")]
    [InlineData("linear")]
    [InlineData("ties", "--density", "0.5", "--majority-sign", "frequency")]
    [InlineData("dare_linear", "--density", "0.5", "--seed", "3")]
    [InlineData("magnitude_prune_svd", "--density", "0.5")]
    public void Mix_OfAnyType_SaysWhatItMade(string type, params string[] options)
    {
        var mixed = _place.Fresh();
        var third = Trained("both-and-third", "--seed", "3");

        var line = Mix(
            mixed, ["--adapter", $"{_one}=0.7", "--adapter", $"{third}=-0.3", "--type", type, .. options]).Succeeded();

        Assert.StartsWith($"Wrote {mixed}: {type} of 2 adapters, rank ", line.Output, StringComparison.Ordinal);
        Assert.NotEqual(Loss(_place.Model), Loss(_place.Model, "--adapter", mixed), 1e-6);
        var config = JsonNode.Parse(File.ReadAllText(Path.Combine(mixed, "adapter_config.json")))!;
        Assert.Equal(_place.Hf, (string?)config["base_model_name_or_path"]);
    }

    [Theory]
    [InlineData("=half", "--adapter", "=half", "finite number")]
    [InlineData("=NaN", "--adapter", "finite number")]
    public void Mix_WhenAWeightIsNone_IsRefused(string end, params string[] said) =>
        Mix(_place.Fresh(), "--adapter", _one + end).Refused(2, said);

    [Theory]
    [InlineData("sum", null, "'sum'", "svd")]
    [InlineData("ties", null, "density", "missing")]
    [InlineData("linear", "--density", "density", "none")]
    [InlineData("cat", "--svd-rank", "svd_rank")]
    public void Mix_WhenOptionsDoNotGoTogether_IsRefused(string type, string? option, params string[] said)
    {
        var (mixed, third) = (_place.Fresh(), Trained("both-and-third", "--seed", "3"));
        string[] more = option is null ? [] : [option, "1"];

        Mix(mixed, ["--adapter", _one, "--adapter", third, "--type", type, .. more]).Refused(2, said);

        Assert.False(Directory.Exists(mixed));
    }

    [Fact]
    public void Mix_OfOneByAType_AsksForAnother() =>
        Mix(_place.Fresh(), "--adapter", _one, "--type", "cat").Refused(2, "--type", "another --adapter");

    [Fact]
    public void Mix_WhenRanksDiffer_SaysWhatDoesNotNeedEqualOnes() =>
        Mix(_place.Fresh(), "--adapter", _one, "--adapter", _two, "--type", "linear").Refused(2, "rank", "cat or svd");

    [Fact]
    public void Mix_IntoAnAdaptersFolder_IsRefused() =>
        Mix(_place.CopyOf(_one, "taken"), "--adapter", _one, "--adapter", _two)
            .Refused(2, "adapter_model.safetensors", "--overwrite");

    private CliRun Mix(string mixed, params string[] options) =>
        CliRun.Of(["mix", _place.Model, "--out", mixed, .. options]);

    private CliRun Eval(params string[] options) =>
        CliRun.Of(["eval", _place.Model, "--data", _place.Rows, .. options]);

    private double Loss(string model, params string[] options) =>
        (double)CliRun.Of(["eval", model, "--data", _place.Rows, "--json", .. options]).Succeeded().Json["loss"]!;

    private static IEnumerable<string?> Files(string folder) =>
        Directory.EnumerateFileSystemEntries(folder).Select(Path.GetFileName).Order();

    /// <summary>An adapter of rank 2, or 4 on other layers, trained once for all tests.</summary>
    private string Trained(string name, params string[] options)
    {
        var folder = _place[name];
        if (!Directory.Exists(folder))
        {
            var rank = options.Contains("--target") ? "4" : "2";
            string[] rankOption = options.Contains("--method") ? [] : ["--rank", rank];
            string[] rest = ["--steps", "3", "--lr", "0.05", "--threads", "1"];
            CliRun.Of(
                ["train", _place.Model, "--data", _place.Rows, "--out", folder, .. rest, .. rankOption, .. options])
                .Succeeded();
        }

        return folder;
    }
}
