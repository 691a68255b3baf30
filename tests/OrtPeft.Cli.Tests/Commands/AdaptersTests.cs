using OrtPeft.Cli.Tests.Running;
using OrtPeft.Testing;

namespace OrtPeft.Cli.Tests.Commands;

/// <summary>Adapters of HF PEFT, listed, described, verified and compared.</summary>
public sealed class AdaptersTests : IDisposable
{
    private static readonly string Peft = Path.Combine(Fixtures.Folder, "peft_ckpt");
    private static readonly string Lora = Path.Combine(Peft, "g2l_lora_all_randB");
    private static readonly string Base = Path.Combine(Fixtures.Folder, "base", "g2l");
    private static readonly string OtherBase = Path.Combine(Fixtures.Folder, "genai", "llama-hf");

    private readonly string _folder = Directory.CreateTempSubdirectory("ortpeft-adapters-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void List_FindsAdaptersBelow()
    {
        var run = CliRun.Of("adapters", "list", Fixtures.Folder, "--json").Succeeded();

        var all = run.Json["adapters"]!.AsArray();
        var lora = all.Single(a => (string?)a!["folder"] == Lora)!;
        Assert.Equal("lora", (string?)lora["method"]);
        Assert.Equal((4, 8.0, 4096L), ((int)lora["rank"]!, (double)lora["alpha"]!, (long)lora["parameters"]!));
        Assert.Equal("base/g2l", (string?)lora["base_model_name_or_path"]);
        Assert.Equal(Directory.EnumerateFiles(Lora).Sum(static f => new FileInfo(f).Length), (long)lora["bytes"]!);
        Assert.Equal(
            Directory.EnumerateFiles(Fixtures.Folder, "adapter_config.json", SearchOption.AllDirectories).Count(), all.Count);
        Assert.Contains("g2l_dora_all", CliRun.Of("adapters", "list", Peft).Succeeded().Output, StringComparison.Ordinal);
    }

    [Fact]
    public void List_OfLinksInACircle_Ends_AndShowsADamagedAdapter()
    {
        var good = Copy("good");
        File.WriteAllText(Path.Combine(Copy("bad"), "adapter_config.json"), "{");
        Directory.CreateSymbolicLink(Path.Combine(good, "round"), _folder);
        Directory.CreateSymbolicLink(Path.Combine(_folder, "latest"), good);

        var run = CliRun.Of("adapters", "list", _folder, "--json");

        run.Refused(2, "bad", "adapter_config.json", "is not JSON");
        Assert.Equal(["bad", "good"], run.Json["adapters"]!.AsArray().Select(static a => Path.GetFileName((string)a!["folder"]!)));
    }

    [Fact]
    public void List_OfNone_SaysSo()
    {
        CliRun.Of("adapters", "list", _folder).Refused(2, "There is no adapter_config.json in", "nor below");
        CliRun.Of("adapters", "list", Path.Combine(_folder, "none")).Refused(2, "is not a folder");
    }

    [Fact]
    public void Info_OfAFile_ShowsItsAdapter()
    {
        var file = Path.Combine(Lora, "adapter_model.safetensors");

        var run = CliRun.Of("adapters", "info", file).Succeeded();

        Assert.Matches(@"transformer\.h\.0\.attn\.c_attn +4 +2 +2\.55e\+00\n", run.Output);
        Assert.Contains("c_attn,c_proj,c_fc", run.Output, StringComparison.Ordinal);
        Assert.Contains("4,096 in 16 tensors", run.Output, StringComparison.Ordinal);
        Assert.Contains("No tensor is all zero or holds NaN", run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void Info_OfNaN_ShowsTheTensors_InJsonToo()
    {
        var copy = Copy("copy");
        Damage.FillWithNaN(Path.Combine(copy, "adapter_model.safetensors"));

        var lines = CliRun.Of("adapters", "info", copy).Succeeded().Output.Split('\n');
        var json = CliRun.Of("adapters", "info", copy, "--json").Succeeded().Json["adapters"]![0]!;

        Assert.Equal(16, lines.Count(static l => l.StartsWith("  Fault: ", StringComparison.Ordinal)));
        Assert.All(json["tensors"]!.AsArray(), static t => Assert.True((long)t!["non_finite"]! > 0 && t["norm"] is null));
        Assert.All(json["modules"]!.AsArray(), static m => Assert.Null(m!["norm"]));
    }

    [Fact]
    public void Info_OfADamagedFile_IsOneLine()
    {
        var copy = Copy("copy");
        Damage.Truncate(Path.Combine(copy, "adapter_model.safetensors"), 2000);

        CliRun.Of("adapters", "info", copy).Refused(2, "adapter_model.safetensors");
        CliRun.Of("adapters", "info", _folder + "/none").Refused(2, "none", "does not exist");
    }

    [Fact]
    public void Verify_OnItsBase_Succeeds() => Assert.Equal(
        $"{Lora} fits {Base}.\n", CliRun.Of("adapters", "verify", Lora, "--base", Base).Succeeded().Output);

    [Fact]
    public void Verify_OfSeveral_SaysEachFaultInALine()
    {
        var copy = Copy("copy");
        Damage.FillWithNaN(Path.Combine(copy, "adapter_model.safetensors"));

        var run = CliRun.Of("adapters", "verify", Lora, copy, "--base", Base);

        run.Refused(2, $"{copy} does not fit {Base}", "NaN", "15 more faults");
        Assert.Equal(17, run.Output.TrimEnd('\n').Split('\n').Length);
        Assert.Contains($"{Lora} fits", run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void Verify_OnAnotherBase_IsRefused_InJsonToo()
    {
        var run = CliRun.Of("adapters", "verify", Lora, "--base", OtherBase, "--json");

        run.Refused(2, "does not fit", "target_modules");
        Assert.False((bool)run.Json["fits"]!);
        Assert.NotEmpty(run.Json["adapters"]![0]!["faults"]!.AsArray());
    }

    [Fact]
    public void Diff_OfTwo_ShowsSettingsTensorsAndModules()
    {
        var other = Path.Combine(Peft, "g2l_lora_cattn_randB");

        var said = CliRun.Of("adapters", "diff", Lora, other).Succeeded().Output;
        var json = CliRun.Of("adapters", "diff", Lora, other, "--json").Succeeded().Json;

        Assert.Contains("""target_modules: ["c_attn","c_fc","c_proj"] | ["c_attn"]""", said, StringComparison.Ordinal);
        Assert.Contains($"Only in {Lora}: base_model", said, StringComparison.Ordinal);
        Assert.Equal(12, json["only_in_first"]!.AsArray().Count);
        Assert.InRange((double)json["cosine"]!, -1, 1);
        Assert.Equal("target_modules", (string?)Assert.Single(json["settings"]!.AsArray())!["name"]);
    }

    [Fact]
    public void Diff_OfACopy_SaysEqual()
    {
        var run = CliRun.Of("adapters", "diff", Lora, Copy("copy")).Succeeded();

        Assert.Contains("are equal: all settings and 16 tensors.", run.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("'inf' is not an action of adapters; did you mean info?", "inf", "x")]
    [InlineData("give one of list, info, verify, diff", "xyzzy", "x")]
    [InlineData("<DIR> is missing", "info")]
    [InlineData("--base is missing", "verify", "x")]
    [InlineData("--base is for verify", "info", "x", "--base", "y")]
    [InlineData("takes two adapters; 1 folder given", "diff", "x")]
    [InlineData("is given twice", "diff", "x", "x")]
    public void WrongUsage_IsOneLine(string said, params string[] words) => CliRun.Of(["adapters", .. words]).Refused(2, said);

    private string Copy(string name)
    {
        var place = Directory.CreateDirectory(Path.Combine(_folder, name)).FullName;
        foreach (var file in Directory.EnumerateFiles(Lora))
            File.Copy(file, Path.Combine(place, Path.GetFileName(file)));
        return place;
    }
}
