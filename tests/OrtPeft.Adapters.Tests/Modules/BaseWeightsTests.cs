using OrtPeft.Adapters.Ia3;
using OrtPeft.Adapters.Loha;
using OrtPeft.Adapters.Lora;
using OrtPeft.Adapters.Modules;
using OrtPeft.Adapters.Vera;
using OrtPeft.Adapters.Weighted;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Passes;
using OrtPeft.Tensors;
using OrtPeft.Testing;

namespace OrtPeft.Adapters.Tests.Modules;

public sealed class BaseWeightsTests
{
    private const string Head = "lm_head";
    private const string Embedding = "model.embed_tokens";

    private static readonly Dictionary<string, (TargetedConfig Config, string Module)> Adapters = new()
    {
        ["lora head"] = (new LoraConfig { R = 2, TargetModules = [Head, "q_proj"] }, Head),
        ["lora embedding"] = (new LoraConfig { R = 2, TargetModules = ["embed_tokens"] }, Embedding),
        ["dora head"] = (new LoraConfig { R = 2, UseDora = true, UseRslora = true, TargetModules = [Head] }, Head),
        ["dora embedding"] = (new LoraConfig { R = 2, UseDora = true, TargetModules = ["embed_tokens"] }, Embedding),
        ["ia3 head"] = (new Ia3Config { TargetModules = [Head], FeedforwardModules = [] }, Head),
        ["loha head"] = (new LohaConfig { R = 2, TargetModules = [Head] }, Head),
        ["vera head"] = (new VeraConfig { R = 2, TargetModules = [Head] }, Head),
    };

    public static TheoryData<string> Names => [.. Adapters.Keys];

    public static TheoryData<string, string> NamesAndForms
    {
        get
        {
            var data = new TheoryData<string, string>();
            foreach (var name in Adapters.Keys)
            {
                data.Add(name, "base_layer.weight");
                data.Add(name, "weight");
            }

            return data;
        }
    }

    [Theory]
    [MemberData(nameof(NamesAndForms))]
    public void Create_WhenTheFileHasTheBasesOwnWeight_IsAsWithoutIt(string name, string form)
    {
        var (config, module) = Adapters[name];
        var plain = Moved(PeftModel.Create(LlamaLike.Build(), config));
        var weights = With(plain.GetWeights(), $"{module}.{form}", ContentOf(LlamaLike.Build(), module));

        var peft = PeftModel.Create(LlamaLike.Build(), config, weights, "file");

        Assert.Empty(peft.Adapters.BaseWeightsOf(PeftModel.DefaultName));
        Assert.Equal(Answer(plain.Model), Answer(peft.Model));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Create_WhenTheFileHasAnother_IsAsOnABaseThatHasIt(string name)
    {
        var (config, module) = Adapters[name];
        var (given, changed) = (LlamaLike.Build(), LlamaLike.Build());
        var other = Moved(ContentOf(given, module));
        Replace(changed, module, other);
        var expected = Moved(PeftModel.Create(changed, config));
        var weights = With(expected.GetWeights(), $"{module}.base_layer.weight", other);

        var peft = PeftModel.Create(given, config, weights, "file");

        Assert.Equal(Answer(expected.Model), Answer(peft.Model));
        Near.Within(Answer(expected.Merge()), Answer(peft.Merge()), 1e-6, "merged");
        Assert.NotEqual(Answer(PeftModel.Create(given, config, expected.GetWeights(), "file").Model), Answer(peft.Model));
    }

    [Fact]
    public void Save_OfAnotherWeight_KeepsIt()
    {
        using var folder = new TemporaryFolder();
        var (config, _) = Adapters["dora head"];
        var peft = WithOther(config, "base_layer.weight");

        peft.Save(folder.Path);

        Assert.Equal(Answer(peft.Model), Answer(PeftModel.Load(LlamaLike.Build(), folder.Path).Model));
    }

    /// <summary>HF PEFT keeps what PiSSA leaves of a weight in the layer, and so in the file.</summary>
    [Theory]
    [InlineData("pissa", false)]
    [InlineData("pissa", true)]
    [InlineData("olora", false)]
    public void Create_WhenTheFileHasWhatTheStartLeft_TakesNothingOutTwice(string init, bool dora)
    {
        var config = new LoraConfig { R = 2, InitLoraWeights = init, UseDora = dora, TargetModules = [Head, "q_proj"] };
        var plain = Moved(PeftModel.Create(LlamaLike.Build(), config));
        var start = plain.Buffers.ToDictionary(static b => b.Name, static b => b.Value.Initializer!);
        var a = start[$"base_model.model.{Head}.lora_A.weight.start"];
        var b = start[$"base_model.model.{Head}.lora_B.weight.start"];
        var rest = Less(ContentOf(LlamaLike.Build(), Head), b, a, config.ScaleOf(Head));
        var saved = plain.GetWeights().Where(static w => !w.Key.EndsWith(".start", StringComparison.Ordinal))
            .ToDictionary(StringComparer.Ordinal);

        var peft = PeftModel.Create(
            LlamaLike.Build(), config, With(saved, $"{Head}.base_layer.weight", rest), "file");

        // W − sB₀A₀ is rounded once more in the file.
        Near.Relative(Answer(plain.Model), Answer(peft.Model), 1e-5, "logits");
        Near.Relative(Answer(plain.Merge()), Answer(peft.Merge()), 1e-5, "merged");
    }

    [Theory]
    [InlineData(Gpt2.Imported)]
    [InlineData("hf442_g2l_nopast_op13_nopp")]
    public void Create_WhenHeadAndEmbeddingAreTied_ChangesBoth(string graph)
    {
        var config = new LoraConfig { R = 2, TargetModules = [Head] };
        var (given, changed) = (Gpt2.Open(graph), Gpt2.Open(Gpt2.Imported));
        var other = Moved(ContentOf(given, "transformer.wte"));
        changed.Graph.SetInitializer(changed.Graph.Find("transformer.wte.weight")!, other);
        var expected = Moved(PeftModel.Create(changed, config));

        var peft = PeftModel.Create(
            given, config, With(expected.GetWeights(), $"{Head}.base_layer.weight", other), "file");

        Near.Relative(Answer(expected.Model), Answer(peft.Model), 1e-5, "logits");
    }

    /// <summary>save_embedding_layers=True of an adapter elsewhere: the modules stand in the file under their own
    /// names.</summary>
    [Fact]
    public void Create_WhenTheModuleHasNoAdapter_TakesItsWeightToo()
    {
        var config = new LoraConfig { R = 2, TargetModules = ["q_proj"] };
        var (given, changed) = (LlamaLike.Build(), LlamaLike.Build());
        var other = Moved(ContentOf(given, Embedding));
        Replace(changed, Embedding, other);
        var expected = Moved(PeftModel.Create(changed, config));

        var peft = PeftModel.Create(given, config, With(expected.GetWeights(), $"{Embedding}.weight", other), "file");

        Assert.Equal(Answer(expected.Model), Answer(peft.Model));
    }

    [Theory]
    [InlineData("q_proj", "lm_head.base_layer.weight", "not read by HF PEFT under this name")]
    [InlineData("lm_head", "lm_head.weight", "not read by HF PEFT under this name")]
    public void Create_WhenHfPeftWouldNotReadTheName_SaysSo(string target, string name, string part)
    {
        var config = new LoraConfig { R = 2, TargetModules = [target] };
        var weights = PeftModel.Create(LlamaLike.Build(), config).GetWeights();
        var other = Moved(ContentOf(LlamaLike.Build(), Head));

        var error = Assert.Throws<ConfigException>(
            () => PeftModel.Create(LlamaLike.Build(), config, With(weights, name, other), "file"));

        Assert.Contains(part, error.Message, StringComparison.Ordinal);
        Assert.Contains($"base_model.model.{name}", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Create_WhenTheVocabularyWasResized_SaysSo()
    {
        var config = new LoraConfig { R = 2, TargetModules = ["q_proj"] };
        var weights = PeftModel.Create(LlamaLike.Build(), config).GetWeights();
        var larger = Tensor.Of<float>(new float[32 * 16], [32, 16]);

        var error = Assert.Throws<ConfigException>(() => PeftModel.Create(
            LlamaLike.Build(), config, With(weights, $"{Embedding}.weight", larger), "file"));

        Assert.Contains("the vocabulary was resized from 29 to 32 tokens", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Create_WhenTwoNamesOfOneMatrixDiffer_NamesBoth()
    {
        var config = new LoraConfig { R = 2, TargetModules = [Head, "wte"] };
        var weights = PeftModel.Create(Gpt2.Open(Gpt2.Imported), config).GetWeights();
        var own = ContentOf(Gpt2.Open(Gpt2.Imported), "transformer.wte");
        var both = With(
            With(weights, "lm_head.base_layer.weight", Moved(own)), "transformer.wte.base_layer.weight", Moved(Moved(own)));

        var error = Assert.Throws<ConfigException>(
            () => PeftModel.Create(Gpt2.Open(Gpt2.Imported), config, both, "file"));

        Assert.Contains("one matrix in this base and differ", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Use_OfAnAdapterWithAnotherWeight_IsRefusedWhereItWouldBeLost()
    {
        var (config, _) = Adapters["lora head"];
        var peft = WithOther(config, "base_layer.weight");
        peft.Adapters.Add("other", config);

        string[] errors =
        [
            Assert.Throws<ConfigException>(() => peft.Adapters.Set(PeftModel.DefaultName, "other")).Message,
            Assert.Throws<ConfigException>(
                () => peft.AddWeightedAdapter("mix", [(PeftModel.DefaultName, 1), ("other", 1)])).Message,
        ];

        Assert.All(errors, static e => Assert.Contains("takes the place of the base's", e, StringComparison.Ordinal));
    }

    private static PeftModel WithOther(TargetedConfig config, string form)
    {
        var weights = Moved(PeftModel.Create(LlamaLike.Build(), config)).GetWeights();
        var other = Moved(ContentOf(LlamaLike.Build(), Head));
        return PeftModel.Create(LlamaLike.Build(), config, With(weights, $"{Head}.{form}", other), "file");
    }

    private static Dictionary<string, Tensor> With(
        IReadOnlyDictionary<string, Tensor> weights, string name, Tensor tensor)
    {
        var all = weights.ToDictionary(StringComparer.Ordinal);
        all.Add($"base_model.model.{name}", tensor);
        return all;
    }

    private static SavedParameter PlaceOf(Model canonical, string module) =>
        SavedModules.All(canonical.Graph).First(s => s.Module == module && s.Kind == "weight");

    private static Tensor ContentOf(Model model, string module)
    {
        CanonicalForm.Apply(model);
        return PlaceOf(model, module).Content();
    }

    private static void Replace(Model model, string module, Tensor content)
    {
        CanonicalForm.Apply(model);
        PlaceOf(model, module).Replace(model.Graph, content);
    }

    /// <summary>W − s·B·A, [out, in].</summary>
    private static Tensor Less(Tensor weight, Tensor b, Tensor a, double scale)
    {
        var (w, left, right) = (weight.ToFloat32(), b.ToFloat32(), a.ToFloat32());
        var (rank, columns) = ((int)a.Dims[0], (int)a.Dims[1]);
        for (var i = 0; i < w.Length; i++)
            for (var k = 0; k < rank; k++)
                w[i] -= (float)(scale * left[(i / columns * rank) + k] * right[(k * columns) + (i % columns)]);
        return Tensor.Of<float>(w, weight.Dims.AsSpan());
    }

    private static PeftModel Moved(PeftModel peft)
    {
        peft.SetWeights(peft.GetWeights().ToDictionary(
            static w => w.Key,
            static w => w.Key.EndsWith(".start", StringComparison.Ordinal) ? w.Value : Moved(w.Value)));
        return peft;
    }

    private static Tensor Moved(Tensor tensor) => Tensor.Of<float>(
        [.. tensor.ToFloat32().Select(static (v, i) => (v * 1.1f) + (0.01f * (i % 7)))], tensor.Dims.AsSpan());

    private static float[] Answer(Model model)
    {
        long[] ids = [1, 5, 28, 3, 14, 7, 0, 9];
        var batch = new Dictionary<string, Tensor>
        {
            ["input_ids"] = Tensor.Of<long>(ids, [2, 4]),
            ["attention_mask"] = Tensor.Of<long>([1, 1, 1, 1, 1, 1, 1, 1], [2, 4]),
        };
        return DecoderLogits.Of(model, DecoderLogits.WithPositions(batch)).ToFloat32();
    }
}
