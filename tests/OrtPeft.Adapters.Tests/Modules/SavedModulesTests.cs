using OrtPeft.Adapters.Lora;
using OrtPeft.Adapters.Modules;
using OrtPeft.Adapters.Vera;
using OrtPeft.Onnx.Serialization;
using OrtPeft.Tensors;
using OrtPeft.Testing;

namespace OrtPeft.Adapters.Tests.Modules;

public sealed class SavedModulesTests
{
    private const string Head = "base_model.model.lm_head.weight";
    private const string Embedding = "base_model.model.transformer.wte.weight";

    /// <summary>Tied through a Transpose, tied directly, and as a nameless transposed copy.</summary>
    private static readonly string[] Graphs = [.. Gpt2.Names, "hf442_g2l_nopast_op13_nopp", "hf415_g2l_nopast_op11"];

    public static TheoryData<string, string> Cases
    {
        get
        {
            var data = new TheoryData<string, string>();
            foreach (var graph in Graphs)
                foreach (var modules in new[] { "lm_head", "wte", "wte,lm_head", "ln_f,mlp.c_fc" })
                    data.Add(graph, modules);
            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Create_WhenModulesAreSaved_StartsAsTheBase_AndMergesToTheSame(string graph, string modules)
    {
        var config = new LoraConfig { R = 2, TargetModules = ["c_attn"], ModulesToSave = modules.Split(',') };
        var peft = PeftModel.Create(Gpt2.Open(graph), config);
        var batch = TrainRun.Batch(0);
        var expected = DecoderLogits.Of(Gpt2.Canonical(graph), batch);
        Near.Absolute(expected, DecoderLogits.Of(peft.Model, batch), 1e-6, "logits");

        peft.SetWeights(peft.GetWeights().ToDictionary(static w => w.Key, static w => Moved(w.Value)));

        var merged = DecoderLogits.Of(peft.Merge(), batch);
        Near.Absolute(DecoderLogits.Of(peft.Model, batch), merged, 1e-5, "logits");
        Assert.True(Distance(expected, merged) > 1e-2);
    }

    [Theory]
    [MemberData(nameof(Gpt2.Models), MemberType = typeof(Gpt2))]
    public void Create_WhenOnlyTheHeadIsSaved_LeavesTheEmbeddingAlone(string graph)
    {
        var peft = PeftModel.Create(Gpt2.Open(graph), new LoraConfig { R = 2, ModulesToSave = ["lm_head"] });

        var saved = peft.Parameters.Single(static p => p.Name == Head);
        var embedding = EmbeddingCatalogue.Embeddings(peft.Model.Graph).Single(static m => m.Name == "transformer.wte");
        Assert.NotSame(saved.Value, embedding.Weight);
        Assert.Equal([101L, 32], saved.Value.Initializer!.Dims.AsEnumerable());
    }

    [Fact]
    public void Create_WhenAnExporterTransposedAndRenamedTheHead_SavesItAsHfHasIt()
    {
        var model = OnnxFile.Load(Fixtures.Graph("hf442_g2l_nopast_op13_nopp.onnx"));

        var peft = PeftModel.Create(model, new LoraConfig { R = 2, ModulesToSave = ["lm_head", "wte"] });

        var weights = peft.GetWeights();
        Assert.Equal([101L, 32], weights[Head].Dims.AsEnumerable());
        Assert.Equal(weights[Embedding].ToFloat32(), weights[Head].ToFloat32());
    }

    [Theory]
    [InlineData("mlp.c_fc", "weight,bias")]
    [InlineData("ln_f", "weight,bias")]
    [InlineData("wpe", "weight")]
    public void Create_NamesTheParametersOfAModuleAsHfPeft(string module, string kinds)
    {
        var config = new LoraConfig { R = 2, TargetModules = ["c_attn"], ModulesToSave = [module] };

        var peft = PeftModel.Create(Gpt2.Open(Gpt2.Imported), config);

        var names = peft.Parameters.Select(static p => p.Name)
            .Where(static n => !n.Contains("lora", StringComparison.Ordinal)).ToList();
        Assert.Equal(kinds.Split(','), names.Select(static n => n.Split('.')[^1]).Distinct().OrderDescending());
        Assert.All(names, n => Assert.Contains($".{module}.", n, StringComparison.Ordinal));
    }

    /// <summary>HF PEFT asks for a name's end without a dot before it.</summary>
    [Fact]
    public void Create_OfTheEndOfAWord_SavesAllModulesThatEndSo()
    {
        var config = new LoraConfig { R = 1, TargetModules = ["q_proj"], ModulesToSave = ["norm"] };

        var peft = PeftModel.Create(LlamaLike.Build(), config);

        string[] layers = ["layers.0.input_layernorm", "layers.0.post_attention_layernorm"];
        string[] all = [.. layers, .. layers.Select(static l => l.Replace('0', '1')), "norm"];
        Assert.Equal(
            all.Select(static m => $"base_model.model.model.{m}.weight").Order(StringComparer.Ordinal),
            peft.Parameters.Select(static p => p.Name).Where(static n => n.EndsWith("norm.weight", StringComparison.Ordinal))
                .Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("nothing", "not a module")]
    [InlineData("c_attn", "matches no linear layer")] // no target is left
    public void Create_WhenAModuleCannotBeSaved_SaysWhy(string module, string part)
    {
        var config = new LoraConfig { R = 2, TargetModules = ["c_attn"], ModulesToSave = [module] };

        var error = Assert.Throws<ConfigException>(() => PeftModel.Create(Gpt2.Open(Gpt2.Imported), config));

        Assert.Contains(part, error.Message, StringComparison.Ordinal);
        Assert.Contains(module, error.Message, StringComparison.Ordinal);
    }

    /// <summary>HF PEFT wraps a container as a whole, and never adapts what is in it.</summary>
    [Theory]
    [InlineData("mlp", "all-linear")]
    [InlineData("h.1.mlp", "c_fc,c_attn")]
    [InlineData("c_fc", "c_fc,c_attn")]
    [InlineData("c_fc", @".*\.(c_fc|c_attn)")]
    public void Create_WhenAModuleIsATargetToo_SavesIt(string saved, string targets)
    {
        var config = new LoraConfig { R = 1, TargetModules = ModuleTargets.Parse(targets), ModulesToSave = [saved] };

        var peft = PeftModel.Create(Gpt2.Open(Gpt2.Imported), config);

        var names = peft.Parameters.Select(static p => p.Name).ToList();
        var whole = names.Where(static n => !n.Contains("lora", StringComparison.Ordinal)).ToList();
        var modules = whole.Select(static n => n[..n.LastIndexOf('.')]).Distinct().ToList();
        Assert.Equal(saved == "mlp" ? 4 : 2, modules.Count);
        Assert.Equal(2 * modules.Count, whole.Count);
        Assert.Equal(names.Count - whole.Count, names.Count(n => !modules.Any(m => n.StartsWith($"{m}.", StringComparison.Ordinal))));
        Assert.Contains(names, static n => n.EndsWith("h.0.attn.c_attn.lora_A.weight", StringComparison.Ordinal));
        var written = (LoraConfig)peft.Config;
        Assert.Equal(
            names,
            PeftModel.Create(Gpt2.Open(Gpt2.Imported), written).Parameters.Select(static p => p.Name));
    }

    /// <summary>A saved module's bias is the module's, and the other biases train beside it.</summary>
    [Theory]
    [InlineData("ln_f", "transformer.ln_f.bias")]
    [InlineData("mlp.c_fc", "transformer.h.0.mlp.c_fc.bias")]
    [InlineData("mlp", "transformer.h.1.mlp.c_proj.bias")]
    [InlineData("lm_head", "transformer.ln_f.bias")]
    public void Create_WhenAllBiasesTrainToo_HasEachOnce(string saved, string bias)
    {
        TargetedConfig[] configs =
        [
            new LoraConfig { R = 1, TargetModules = ["c_attn"], Bias = "all", ModulesToSave = [saved] },
            new VeraConfig { R = 2, TargetModules = ["c_attn"], Bias = "all", ModulesToSave = [saved] },
        ];
        foreach (var config in configs)
        {
            var peft = PeftModel.Create(Gpt2.Open(Gpt2.Imported), config, seed: 3);
            var weights = peft.GetWeights().ToDictionary(
                static w => w.Key, static w => w.Key.EndsWith(".bias", StringComparison.Ordinal) ? Moved(w.Value) : w.Value);
            var name = $"base_model.model.{bias}";

            // HF PEFT writes a saved bias in three forms, the base's among them.
            var written = new Dictionary<string, Tensor>(weights);
            if (saved != "lm_head")
            {
                written[name.Replace(".bias", ".modules_to_save.bias", StringComparison.Ordinal)] = weights[name];
                written[name.Replace(".bias", ".original_module.bias", StringComparison.Ordinal)] = peft.GetWeights()[name];
            }

            var read = PeftModel.Create(Gpt2.Open(Gpt2.Imported), config, written, "file").GetWeights();

            Assert.Single(weights.Keys, n => n == name);
            Assert.Equal(12 + 1, peft.Parameters.Count(static p => p.Name.EndsWith("bias", StringComparison.Ordinal)));
            Assert.All(weights, w => Assert.Equal(w.Value.ToFloat32(), read[w.Key].ToFloat32()));
        }
    }

    private static Tensor Moved(Tensor tensor) => Tensor.Of<float>(
        [.. tensor.ToFloat32().Select(static (v, i) => (v * 1.1f) + (0.01f * (i % 7)))], tensor.Dims.AsSpan());

    private static double Distance(Tensor left, Tensor right) =>
        left.ToFloat32().Zip(right.ToFloat32()).Max(static p => Math.Abs(p.First - p.Second));
}
