using OrtPeft.Adapters;
using OrtPeft.Adapters.PTuning;
using OrtPeft.Adapters.PrefixTuning;
using OrtPeft.Adapters.PromptTuning;
using OrtPeft.Inference.Generation;
using OrtPeft.Runtime.Sessions;

namespace OrtPeft.Inference.Tests.Generation;

/// <summary>Generation behind virtual tokens: with a cache they must come in once, and stay.</summary>
public sealed class VirtualTokenTests
{
    private static readonly RuntimeOptions OneThread = new() { Threads = 1 };

    private static readonly int[] Words = [11, 3, 8, 60];

    private static readonly int[][] Prompts = [[0], [17, 3, 88], [.. Enumerable.Range(20, 24)]];

    private static readonly GenerationOptions[] Options =
        [new() { MaxNewTokens = 30 }, new() { MaxNewTokens = 30, Temperature = 1.3, TopK = 60, Seed = 11 }];

    private static readonly Dictionary<string, PeftConfig> Configs = new()
    {
        ["prompt"] = new PromptTuningConfig { NumVirtualTokens = 5 },
        ["p-tuning"] = new PTuningConfig { NumVirtualTokens = 5 },
        ["prefix"] = new PrefixTuningConfig { NumVirtualTokens = 5, PrefixProjection = true },
    };

    private static readonly string[] Graphs =
        [Fixture.Past, Fixture.OlderPast, Fixture.StackedPast, Fixture.NoPast, Fixture.Merged];

    public static TheoryData<string> AllGraphs => [.. Graphs];

    public static TheoryData<string, string> ConfigsAndGraphs
    {
        get
        {
            var data = new TheoryData<string, string>();
            foreach (var config in Configs.Keys)
                foreach (var graph in Graphs.Where(static g => g != Fixture.NoPast))
                    data.Add(config, graph);
            return data;
        }
    }

    [Theory]
    [MemberData(nameof(AllGraphs))]
    public void Generate_BehindAPromptOfTokens_EqualsTheBaseBehindTheTokens(string graph)
    {
        var config = new PromptTuningConfig
        {
            NumVirtualTokens = Words.Length,
            PromptTuningInit = "TEXT",
            PromptTuningInitText = "words",
            InitTokenIds = Words,
        };
        using var adapted = Adapted(graph, config);
        using var plain = Generator.Open(Fixture.Load(Fixture.NoPast), OneThread);

        var actual = All(adapted, []);

        Assert.Equal(All(plain, Words), actual);
        Assert.Equal(Prompts.Length * Options.Length * 30, actual.Length);
    }

    [Theory]
    [MemberData(nameof(ConfigsAndGraphs))]
    public void Generate_WithACache_EqualsGenerationWithout(string config, string graph)
    {
        using var cached = Adapted(graph, Configs[config]);
        using var uncached = Adapted(Fixture.NoPast, Configs[config]);
        using var plain = Generator.Open(Fixture.Load(Fixture.NoPast), OneThread);

        var actual = All(cached, []);

        Assert.Equal(All(uncached, []), actual);
        Assert.NotEqual(All(plain, []), actual);
    }

    private static Generator Adapted(string graph, PeftConfig config) =>
        Generator.Open(PeftModel.Create(Fixture.Load(graph), config, seed: 5).ForInference(), OneThread);

    private static int[] All(Generator generator, int[] before) =>
        [.. Prompts.SelectMany(p => Options.SelectMany(o => generator.Generate([.. before, .. p], o)))];
}
