using System.Text.RegularExpressions;
using OrtPeft.Adapters.Ia3;
using OrtPeft.Adapters.LnTuning;
using OrtPeft.Adapters.Loha;
using OrtPeft.Adapters.Lokr;
using OrtPeft.Adapters.Lora;
using OrtPeft.Adapters.Modules;
using OrtPeft.Adapters.Vera;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Serialization;
using OrtPeft.Tensors;
using OrtPeft.Testing;

namespace OrtPeft.Adapters.Tests.Modules;

/// <summary>What is written as targets chooses what was trained, read by HF PEFT's rules or read again here.</summary>
public sealed partial class WrittenTargetsTests
{
    private const int Apart = 8;

    private static readonly TargetedConfig[] Configs =
    [
        new LoraConfig { R = 2 },
        new LoraConfig { R = 2, TargetModules = "all-linear" },
        new LoraConfig { R = 2, TargetModules = ["attn"] },
        new LoraConfig { R = 2, TargetModules = ["c_proj"], ExcludeModules = ["mlp.c_proj"] },
        new LoraConfig { R = 2, TargetModules = ["lm_head", "wte", "c_fc"] },
        new LoraConfig { R = 2, TargetModules = "all-linear", ExcludeModules = ".*c_fc", LayersToTransform = [1] },
        new LoraConfig { R = 2, TargetModules = ["c_attn", "c_fc"], LayersToTransform = [0], LayersPattern = ["h"] },
        new LoraConfig { R = 2, TargetModules = @".*\.[01]\.(attn|mlp)\.c_proj" },
        new Ia3Config(),
        new Ia3Config { LayersToTransform = [1] },
        new Ia3Config { TargetModules = ["c_attn", "c_proj"], FeedforwardModules = ["mlp.c_proj"] },
        new Ia3Config { TargetModules = "all-linear" },
        new VeraConfig { R = 2, TargetModules = ["c_proj"], ExcludeModules = [@"mlp.c_proj"] },
        new VeraConfig { R = 2 },
        new LohaConfig { R = 2, TargetModules = "all-linear", LayersToTransform = [0] },
        new LokrConfig { R = 2 },
    ];

    /// <summary>Every eighth configuration on each graph, from another one on, so that each meets graphs of every kind.
    /// </summary>
    public static TheoryData<string, int> Cases
    {
        get
        {
            var data = new TheoryData<string, int>();
            var graphs = Directory.GetFiles(Fixtures.Graph("."), "*.onnx").Select(Path.GetFileNameWithoutExtension)
                .Order(StringComparer.Ordinal);
            foreach (var (place, graph) in graphs.Index())
            {
                for (var index = place % Apart; index < Configs.Length; index += Apart)
                    data.Add(graph!, index);
            }

            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Create_WritesTargetsThatChooseTheSameModulesAgain(string graph, int index)
    {
        var model = OnnxFile.Load(Fixtures.Graph($"{graph}.onnx"));
        if (!TryCreate(model, Configs[index], out var peft))
            return; // the graph has no such module
        using var folder = new TemporaryFolder();

        peft.Save(folder.Path);

        var read = (TargetedConfig)AdapterFolder.LoadConfig(folder.Path);
        Assert.Equal(
            peft.Parameters.Select(static p => p.Name),
            PeftModel.Create(model, read).Parameters.Select(static p => p.Name));
        Assert.Equal(Trained(peft), ByHfPeftsRules(model, read));
        if (read is Ia3Config { TargetModules.Pattern: null, FeedforwardModules.Pattern: null } ia3)
            Assert.Subset(ia3.TargetModules!.Names.ToHashSet(), ia3.FeedforwardModules.Names.ToHashSet());
    }

    /// <summary>As the model builder names them: every layer ends alike, the head too.</summary>
    [Theory]
    [InlineData(null)]
    [InlineData("all-linear")]
    [InlineData("q,MatMul")]
    [InlineData("layers.0.q.MatMul")]
    public void Create_WhereAllNamesEndAlike_LeavesTheHeadOut(string? targets)
    {
        var model = SmallGraphs.Of(static (g, x) =>
        {
            var hidden = Layer(g, x, "layers.0.q.MatMul", 2);
            return Layer(g, Layer(g, hidden, "layers.1.q.MatMul", 2), "lm_head.MatMul", 5);
        });
        var config = new LoraConfig { R = 1, TargetModules = targets is null ? null : ModuleTargets.Parse(targets) };

        var peft = PeftModel.Create(model, config);

        var read = (TargetedConfig)peft.Config;
        Assert.Equal(Trained(peft), ByHfPeftsRules(model, read));
        Assert.Equal(targets == "q,MatMul", Trained(peft).Contains("lm_head.MatMul"));
    }

    /// <summary>HF's routers are bare parameters, and other gates are layers.</summary>
    [Fact]
    public void Create_OfAllLinear_LeavesLayersOutThatChooseExperts()
    {
        var model = SmallGraphs.Of(static (g, x) =>
        {
            var scores = g.Op("Sigmoid", Layer(g, x, "mlp.gate", 4));
            var biased = g.Add(scores, g.Graph.AddInitializer("bias", Tensor.Vector(0f, 1, 2, 3)));
            var node = g.Ops("TopK", 2, [biased, g.Int64(2)], [])[0];
            return Layer(g, g.Mul(Layer(g, x, "mlp.shared_expert_gate", 2), node), "lm_head", 5);
        });

        var peft = PeftModel.Create(model, new LoraConfig { R = 1, TargetModules = "all-linear" });

        Assert.Equal(["mlp.shared_expert_gate"], Trained(peft));
        Assert.Equal(["shared_expert_gate"], ((TargetedConfig)peft.Config).TargetModules!.Names);
    }

    /// <summary>HF PEFT warns of fields that a method does not have.</summary>
    [Fact]
    public void ToJson_HasHfPeftsFieldsOfTheMethod()
    {
        Assert.False(new VeraConfig().ToJson().ContainsKey("exclude_modules"));
        Assert.False(new LnTuningConfig().ToJson().ContainsKey("fan_in_fan_out"));
        Assert.True(new LoraConfig().ToJson().ContainsKey("exclude_modules"));
    }

    [GeneratedRegex(@"\.(lora_|ia3_l|vera_|hada_|lokr_).*$")]
    private static partial Regex EndOfModule();

    private static Value Layer(GraphBuilder g, Value x, string name, int outputs)
    {
        var inputs = (int)x.Shape![x.Shape.Rank - 1].Value!.Value;
        return g.MatMul(x, SmallGraphs.Weight(g, $"{name}.weight", inputs, outputs));
    }

    private static bool TryCreate(Model model, PeftConfig config, out PeftModel peft)
    {
        try
        {
            peft = PeftModel.Create(model, config);
            return true;
        }
        catch (ConfigException)
        {
            peft = null!;
            return false;
        }
    }

    /// <summary>The modules that have parameters of the adapter.</summary>
    private static string[] Trained(PeftModel peft) =>
    [
        .. peft.Parameters.Select(static p => p.Name["base_model.model.".Length..])
            .Select(static n => EndOfModule().Replace(n, ""))
            .Distinct().Order(StringComparer.Ordinal),
    ];

    /// <summary>check_target_module_exists: exact names or ends after a dot, whole patterns, exclusions first.</summary>
    private static string[] ByHfPeftsRules(Model model, TargetedConfig config)
    {
        var graph = BaseModel.Of(model).Canonical.Graph;
        var linear = ModuleCatalogue.LinearModules(graph);
        var all = linear.Select(static m => m.Name).Concat(EmbeddingCatalogue.Embeddings(graph).Select(static e => e.Name));
        var head = linear.FirstOrDefault(static m => m.IsOutputLayer)?.Name;
        return [.. all.Where(IsChosen).Distinct().Order(StringComparer.Ordinal)];

        bool IsChosen(string name)
        {
            if (config.ExcludeModules is { } exclude && Matches(name, exclude))
                return false;
            if (config.TargetModules!.Pattern == ModuleTargets.AllLinear)
                return name != head && linear.Any(m => m.Name == name);
            var isInLayers = config.LayersToTransform is not { Count: > 0 } layers
                || config.TargetModules.Names.Contains(name)
                || layers.Any(l => name.Contains($".h.{l}.", StringComparison.Ordinal));
            return isInLayers && Matches(name, config.TargetModules);
        }

        static bool Matches(string name, ModuleTargets targets) => targets.Pattern is { } pattern
            ? Regex.IsMatch(name, $"^(?:{pattern})$")
            : targets.Names.Any(t => name == t || name.EndsWith($".{t}", StringComparison.Ordinal));
    }
}
