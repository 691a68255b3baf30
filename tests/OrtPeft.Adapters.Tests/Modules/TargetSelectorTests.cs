using OrtPeft.Adapters.Modules;

namespace OrtPeft.Adapters.Tests.Modules;

/// <summary>HF PEFT's <c>check_target_module_exists</c>, row by row, on GPT-2's modules.</summary>
public sealed class TargetSelectorTests
{
    private static readonly IReadOnlyList<LinearModule> Modules =
        ModuleCatalogue.LinearModules(Gpt2.Canonical(Gpt2.Imported).Graph);

    /// <summary>Targets, exclusions, layers, what stands before their number; the picked modules.</summary>
    public static TheoryData<string[], string[]?, int[]?, string[]?, string> Lists => new()
    {
        { ["transformer.h.0.attn.c_attn"], null, null, null, "h.0.attn.c_attn" },
        { ["c_attn"], null, null, null, "h.0.attn.c_attn h.1.attn.c_attn" },
        { ["attn.c_proj"], null, null, null, "h.0.attn.c_proj h.1.attn.c_proj" },
        { ["1.mlp.c_proj"], null, null, null, "h.1.mlp.c_proj" },
        { ["c_proj"], ["mlp.c_proj"], null, null, "h.0.attn.c_proj h.1.attn.c_proj" },
        { ["c_attn", "c_fc"], null, null, null, "h.0.attn.c_attn h.0.mlp.c_fc h.1.attn.c_attn h.1.mlp.c_fc" },
        { ["c_attn"], ["transformer.h.0.attn.c_attn"], null, null, "h.1.attn.c_attn" },
        { ["attn"], null, null, null, "h.0.attn.c_attn h.0.attn.c_proj h.1.attn.c_attn h.1.attn.c_proj" },
        { ["c_attn"], null, [1], null, "h.1.attn.c_attn" },
        { ["c_attn"], null, [0, 1], null, "h.0.attn.c_attn h.1.attn.c_attn" },
        { ["c_attn"], null, [], null, "h.0.attn.c_attn h.1.attn.c_attn" },
        { ["c_attn"], null, [0], ["h"], "h.0.attn.c_attn" },
        { ["c_attn"], null, [0], ["blocks", "h"], "h.0.attn.c_attn" },
        { ["c_attn"], null, [1], ["attn", "h"], "h.1.attn.c_attn" },
        { ["transformer.h.0.attn.c_attn", "c_fc"], null, [1], null, "h.0.attn.c_attn h.1.mlp.c_fc" },
        { ["lm_head"], null, null, null, "lm_head" },
    };

    public static TheoryData<string, string> Patterns => new()
    {
        { @".*\.c_attn", "h.0.attn.c_attn h.1.attn.c_attn" },
        { @".*\.h\.1\.(attn|mlp)\.c_proj", "h.1.attn.c_proj h.1.mlp.c_proj" },
        { @".*\.(?P<part>attn)\.c_(?P=part)", "h.0.attn.c_attn h.1.attn.c_attn" },
        { @".*\.(?P<layer>[0-9])\.(attn)\.c_\2", "h.0.attn.c_attn h.1.attn.c_attn" },
        { @"(?i).*\.C_FC", "h.0.mlp.c_fc h.1.mlp.c_fc" },
        { @".*\.c_f{,2}c\Z", "h.0.mlp.c_fc h.1.mlp.c_fc" },
        { @"transformer\.h\.0\.attn\.c_attn|lm_head", "h.0.attn.c_attn lm_head" },
        {
            "all-linear",
            "h.0.attn.c_attn h.0.attn.c_proj h.0.mlp.c_fc h.0.mlp.c_proj " +
            "h.1.attn.c_attn h.1.attn.c_proj h.1.mlp.c_fc h.1.mlp.c_proj"
        },
    };

    [Theory]
    [MemberData(nameof(Lists))]
    public void Select_WhenNamesAreListed_PicksAsHfPeft(
        string[] names, string[]? exclude, int[]? layers, string[]? layersPattern, string expected)
    {
        var without = exclude is null ? null : ModuleTargets.Listed(exclude);

        var picked = TargetSelector.Select(Modules, ModuleTargets.Listed(names), without, layers, layersPattern);

        Assert.Equal(expected, Short(picked));
    }

    [Theory]
    [MemberData(nameof(Patterns))]
    public void Select_WhenPattern_MatchesWholeNames(string pattern, string expected)
    {
        var picked = TargetSelector.Select(Modules, pattern);

        Assert.Equal(expected, Short(picked));
    }

    [Theory]
    [InlineData("attn", "ending of a name, not all of it")]
    [InlineData("c_attn", "the last part only")]
    [InlineData("transformer.h.0.attn.c_att", "all but one letter")]
    public void Select_WhenPatternMatchesAPart_PicksNothing(string pattern, string reason)
    {
        Assert.NotEmpty(reason);
        Assert.Throws<ConfigException>(() => TargetSelector.Select(Modules, pattern));
    }

    [Fact]
    public void Select_WhenAListedNameEndsAnotherWord_DoesNotPickThat()
    {
        var error = Assert.Throws<ConfigException>(() => TargetSelector.Select(Modules, ["_attn"]));

        Assert.Contains("'_attn'", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Select_WhenExcludedByPattern_LeavesWholeMatchesOut()
    {
        var picked = TargetSelector.Select(Modules, ModuleTargets.AllLinear, @".*\.mlp\..*|.*c_attn");

        Assert.Equal("h.0.attn.c_proj h.1.attn.c_proj", Short(picked));
    }

    [Fact]
    public void Select_WhenNothingMatches_ListsWhatWould()
    {
        var error = Assert.Throws<ConfigException>(() => TargetSelector.Select(Modules, ["q_proj"]));

        Assert.Contains("'q_proj'", error.Message, StringComparison.Ordinal);
        Assert.Contains("c_attn, c_proj, c_fc, all-linear", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Select_WhenNoLayerHasTheNumber_NamesTheLayers()
    {
        var error = Assert.Throws<ConfigException>(() => TargetSelector.Select(Modules, ["c_attn"], layers: [7]));

        Assert.Contains("in the layers 7", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Select_WhenPatternIsNoExpression_ShowsIt()
    {
        var target = Assert.Throws<ConfigException>(() => TargetSelector.Select(Modules, "(c_attn"));
        var layer = Assert.Throws<ConfigException>(() => TargetSelector.Select(Modules, ["c_attn"], null, [0], ["(h"]));

        Assert.Contains("'(c_attn'", target.Message, StringComparison.Ordinal);
        Assert.Contains("(h", layer.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("transformer.h.0.attn.c_attn", 1)]
    [InlineData("transformer.h.1.attn.c_attn", 2)]
    [InlineData("transformer.h.0.mlp.c_proj", 3)]
    [InlineData("transformer.h.0.mlp.xc_fc", 9)]
    [InlineData("lm_head", 4)]
    public void ByPattern_WhenSeveralMatch_TakesTheFirst(string module, int expected)
    {
        KeyValuePair<string, int>[] patterns =
        [
            new(@"h\.0\.attn\.c_attn", 1),
            new("c_attn", 2),
            new(@"mlp\.c_proj|c_fc", 3),
            new("lm_head", 4),
            new("c_proj", 5),
        ];

        Assert.Equal(expected, TargetSelector.ByPattern(patterns, module, 9));
    }

    private static string Short(IEnumerable<LinearModule> modules) =>
        string.Join(' ', modules.Select(static m => m.Name.Replace("transformer.h", "h", StringComparison.Ordinal)));
}
