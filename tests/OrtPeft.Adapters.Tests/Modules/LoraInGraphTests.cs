using OrtPeft.Adapters.BitFit;
using OrtPeft.Adapters.Bottleneck;
using OrtPeft.Adapters.Full;
using OrtPeft.Adapters.Ia3;
using OrtPeft.Adapters.LnTuning;
using OrtPeft.Adapters.Loha;
using OrtPeft.Adapters.Lokr;
using OrtPeft.Adapters.Lora;
using OrtPeft.Adapters.Merging;
using OrtPeft.Adapters.Modules;
using OrtPeft.Adapters.PromptTuning;
using OrtPeft.Adapters.Tests.Proof;
using OrtPeft.Adapters.TrainableTokens;
using OrtPeft.Adapters.Vera;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Shapes;
using OrtPeft.Tensors;
using OrtPeft.Testing;

namespace OrtPeft.Adapters.Tests.Modules;

/// <summary>
/// A layer that has LoRA's products in the graph already, as HF PEFT's exports, GenAI's builder, slots and merges as
/// branches have them: one module under its own name, whose pair is never adapted and stays as it is.
/// </summary>
public sealed class LoraInGraphTests
{
    private const string Layer = "model.layers.0.self_attn.q_proj";
    private const string Wrapped = $"base_model.model.{Layer}";
    private const string QuantizedBase = "quantised base";
    private const int Ins = 4;
    private const int Outs = 6;
    private const int Rows = 6;

    private static readonly Dictionary<string, Func<GraphBuilder, Value, Value>> Forms = new()
    {
        ["HF PEFT"] = static (g, x) => g.Add(
            g.MatMul(x, W(g, $"{Wrapped}.base_layer.weight")),
            Scaled(g, Pair(g, x, $"{Wrapped}.lora_A.default.weight", $"{Wrapped}.lora_B.default.weight"))),
        ["HF PEFT with a bias"] = static (g, x) => g.Add(
            g.Add(g.MatMul(x, W(g, $"{Wrapped}.base_layer.weight")), Bias(g, $"{Wrapped}.base_layer.bias")),
            Scaled(g, Pair(g, x, $"{Wrapped}.lora_A.default.weight", $"{Wrapped}.lora_B.default.weight"))),
        ["GenAI's builder"] = static (g, x) => g.Add(
            g.MatMul(x, W(g)), Pair(g, x, $"{Layer}.lora_A.MatMul.weight", $"{Layer}.lora_B.MatMul.weight")),
        ["merged as branches"] = static (g, x) =>
            g.Add(g.MatMul(x, W(g)), Pair(g, x, $"{Layer}.lora_A.weight", $"{Layer}.lora_B.weight")),
        ["merged twice as branches"] = static (g, x) => g.Add(
            g.Add(g.MatMul(x, W(g)), Pair(g, x, $"{Layer}.lora_A.weight", $"{Layer}.lora_B.weight")),
            Pair(g, x, $"{Layer}.lora_A.weight_1", $"{Layer}.lora_B.weight_1")),
        ["into the residual"] = static (g, x) => g.Add(
            g.Add(Residual(g, x), Pair(g, x, "val_1", "val_2")), g.MatMul(x, W(g))),
        ["without names"] = static (g, x) => g.Add(g.MatMul(x, W(g)), Scaled(g, Pair(g, x, "val_1", "val_2"))),
        ["pair first"] = static (g, x) => g.Add(Scaled(g, Pair(g, x, "val_1", "val_2")), g.MatMul(x, W(g))),
        ["before the bias"] = static (g, x) => g.Add(
            g.Add(g.MatMul(x, W(g)), Pair(g, x, "val_1", "val_2")), Bias(g, $"{Layer}.bias")),
        ["scaled between"] = static (g, x) => g.Add(
            g.MatMul(x, W(g)), g.MatMul(Scaled(g, g.MatMul(x, A(g, "val_1"))), B(g, "val_2"))),
        ["dropout before A"] = static (g, x) =>
            g.Add(g.MatMul(x, W(g)), Pair(g, g.Op("Dropout", x), "val_1", "val_2")),
        ["Gemm of rows"] = static (g, x) =>
        {
            var rows = g.Reshape(x, Rows, Ins);
            var low = g.Gemm(rows, A(g, "val_1", isTurned: true), transB: true);
            var y = g.Gemm(rows, W(g, isTurned: true), Bias(g, $"{Layer}.bias"), transB: true);
            return g.Reshape(g.Add(y, g.Gemm(low, B(g, "val_2", isTurned: true), transB: true)), 2, 3, Outs);
        },
        ["behind Transpose"] = static (g, x) => g.Add(
            g.MatMul(x, g.Transpose(W(g, isTurned: true), 1, 0)),
            g.MatMul(
                g.MatMul(x, g.Transpose(A(g, "val_1", isTurned: true), 1, 0)),
                g.Transpose(B(g, "val_2", isTurned: true), 1, 0))),
        [QuantizedBase] = static (g, x) =>
            g.Add(g.MatMul(x, Quantized(g)), Pair(g, x, $"{Layer}.lora_A.weight", $"{Layer}.lora_B.weight")),
        ["slots with weights in them"] = static (g, x) =>
            g.Add(g.MatMul(x, W(g)), g.MatMul(g.MatMul(x, Slot(g, "slot.a", Ins, 2, 0.4)), Slot(g, "slot.b", 2, Outs, 0.7))),
        ["parts of one product"] = static (g, x) => g.Add(
            g.MatMul(x, W(g)),
            g.Concat(
                -1,
                g.MatMul(g.MatMul(x, A(g, "val_1")), B(g, "val_2", width: 2)),
                g.MatMul(g.MatMul(x, A(g, "val_3")), B(g, "val_4", width: 4)))),
    };

    public static TheoryData<string> Names => [.. Forms.Keys];

    public static TheoryData<string> OfFloats => [.. Forms.Keys.Where(static f => f != QuantizedBase)];

    /// <summary>What only adds to a layer.</summary>
    private static readonly Dictionary<string, PeftConfig> Adding = new()
    {
        ["lora"] = new LoraConfig { R = 2, TargetModules = ["q_proj"], InitLoraWeights = LoraInit.Random },
        ["vera"] = new VeraConfig { R = 2, TargetModules = ["q_proj"] },
        ["loha"] = new LohaConfig { R = 2, TargetModules = ["q_proj"] },
        ["lokr"] = new LokrConfig { R = 2, TargetModules = ["q_proj"] },
    };

    /// <summary>What asks for the weight, which the pair is not in.</summary>
    private static readonly Dictionary<string, PeftConfig> Others = new()
    {
        ["dora"] = new LoraConfig { R = 2, TargetModules = ["q_proj"], UseDora = true },
        ["pissa"] = new LoraConfig { R = 2, TargetModules = ["q_proj"], InitLoraWeights = LoraInit.Pissa },
        ["olora"] = new LoraConfig { R = 2, TargetModules = ["q_proj"], InitLoraWeights = LoraInit.Olora },
        ["ia3"] = new Ia3Config { TargetModules = ["q_proj"], FeedforwardModules = [] },
        ["ia3 feed-forward"] = new Ia3Config { TargetModules = ["q_proj"], FeedforwardModules = ["q_proj"] },
        ["bottleneck"] = new BottleneckConfig { TargetModules = ["q_proj"], ReductionFactor = 2 },
        ["ln-tuning"] = new LnTuningConfig { TargetModules = ["q_proj"] },
        ["modules_to_save"] = new LoraConfig { R = 2, TargetModules = ["k_proj"], ModulesToSave = ["q_proj"] },
    };

    public static TheoryData<string, string> Additions => Pairs(Adding.Keys);

    public static TheoryData<string, string> Refusals => Pairs(Others.Keys);

    [Theory]
    [MemberData(nameof(Names))]
    public void LinearModules_WherePairsStandBesideALayer_AreTheLayers(string form)
    {
        var canonical = BaseModel.Of(Build(form)).Canonical;

        var modules = ModuleCatalogue.LinearModules(canonical.Graph);

        Assert.Equal([Layer, Other], modules.Select(static m => m.Name));
        Assert.Equal([PresentAdapter.Lora, PresentAdapter.None], modules.Select(static m => m.Adapter));
        Assert.Equal(Answer(Build(form)), Answer(canonical), static (a, b) => Math.Abs(a - b) < 1e-5f);
    }

    [Theory]
    [MemberData(nameof(Additions))]
    public void Create_OfWhatAdds_LeavesThePairAsItIs(string form, string method)
    {
        var peft = Trained(PeftModel.Create(Build(form), Adding[method]));

        var merged = peft.MergeAs(MergeForm.Float);

        Assert.All(peft.Parameters, static p => Assert.StartsWith($"{Wrapped}.", p.Name, StringComparison.Ordinal));
        Assert.Equal([Layer], peft.ModulesWithLora);
        Assert.NotEqual(Answer(Build(form)), Answer(peft.Model), static (a, b) => Math.Abs(a - b) < 1e-3f);
        Assert.Equal(Answer(peft.Model), Answer(merged.Model), static (a, b) => Math.Abs(a - b) < 2e-4f);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Merge_AsBranches_AddsAnotherPair(string form)
    {
        var peft = Trained(PeftModel.Create(Build(form), Adding["lora"]));

        var merged = peft.MergeAs(MergeForm.Branches);
        var again = Trained(PeftModel.Create(merged.Model, Adding["lora"]));

        Assert.Equal(Answer(peft.Model), Answer(merged.Model), static (a, b) => Math.Abs(a - b) < 2e-4f);
        Assert.Equal(
            peft.Parameters.Select(static p => p.Name), again.Parameters.Select(static p => p.Name));
        Assert.Equal([Layer], again.ModulesWithLora);
    }

    [Theory]
    [MemberData(nameof(Refusals))]
    public void Create_OfWhatAsksForTheWeight_NamesLayerAndWay(string form, string method)
    {
        var error = Assert.Throws<ConfigException>(() => PeftModel.Create(Build(form), Others[method]));

        Assert.Contains(Layer, error.Message, StringComparison.Ordinal);
        var isOfBits = form == QuantizedBase && method is "ln-tuning" or "modules_to_save";
        Assert.True(isOfBits || error.Message.Contains("merge_and_unload()", StringComparison.Ordinal), error.Message);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Create_OfOtherLayers_IsFree(string form)
    {
        var dora = new LoraConfig { R = 2, TargetModules = ["k_proj"], UseDora = true, ModulesToSave = null };

        var peft = PeftModel.Create(Build(form), dora);

        Assert.All(peft.Parameters, static p => Assert.Contains(Other, p.Name, StringComparison.Ordinal));
    }

    [Theory]
    [MemberData(nameof(OfFloats))]
    public void Create_OfFullTuning_TrainsThePairToo(string form)
    {
        var peft = PeftModel.Create(Build(form), new FullConfig());

        Assert.Contains(peft.Parameters, static p => p.Name.EndsWith($"{Layer}.weight", StringComparison.Ordinal));
        Assert.True(peft.Parameters.Count >= 4, "A and B train too");
    }

    [Theory]
    [InlineData("HF PEFT with a bias")]
    [InlineData("before the bias")]
    public void Create_OfBiases_TrainsTheLayers(string form)
    {
        var peft = PeftModel.Create(Build(form), new BitFitConfig());

        Assert.Contains(peft.Parameters, static p => p.Name.EndsWith($"{Layer}.bias", StringComparison.Ordinal));
    }

    /// <summary>DoRA, IA³ and LoHa as HF PEFT exports them: a delta of the weight alone is not one of the model.</summary>
    [Theory]
    [InlineData("lora_magnitude_vector.default", "lora")]
    [InlineData("ia3_l.default", "lora")]
    [InlineData("hada_w1_a.default", "vera")]
    [InlineData("lora_magnitude_vector.default", "modules_to_save")]
    public void Create_WhereAnotherAdapterStands_NamesLayerAndWay(string part, string method)
    {
        var model = Build((g, x) => g.Mul(
            g.MatMul(x, W(g, $"{Wrapped}.base_layer.weight")), Bias(g, $"{Wrapped}.{part}")));
        var config = Adding.TryGetValue(method, out var adding) ? adding : Others[method];

        var error = Assert.Throws<ConfigException>(() => PeftModel.Create(model, config));

        Assert.StartsWith($"{Layer}: ", error.Message, StringComparison.Ordinal);
        Assert.Contains("merge_and_unload()", error.Message, StringComparison.Ordinal);
    }

    /// <summary>Without a product that reads the same, two products after each other are two layers.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void LinearModules_OfProductsInARow_AreLayers(bool isResidual)
    {
        var model = Build((g, x) =>
        {
            var y = g.MatMul(g.MatMul(x, A(g, "model.layers.0.mlp.down_proj.weight")), B(g, "model.layers.0.mlp.up_proj.weight"));
            return isResidual ? g.Add(Residual(g, x), y) : y;
        });

        var modules = ModuleCatalogue.LinearModules(BaseModel.Of(model).Canonical.Graph);

        Assert.Equal(
            ["model.layers.0.mlp.down_proj", "model.layers.0.mlp.up_proj", Other], modules.Select(static m => m.Name));
    }

    [Theory]
    [InlineData("base_model.model.model.embed_tokens.base_layer.weight", "base_model.model.model.embed_tokens.lora_embedding_A.default")]
    [InlineData("model.embed_tokens.weight", "val_1")]
    public void Embeddings_WherePairsStandBesideThem_AreTheEmbeddings(string table, string a)
    {
        var model = Embedding(table, a);

        var embedding = Assert.Single(EmbeddingCatalogue.Embeddings(BaseModel.Of(model).Canonical.Graph));
        Assert.Equal(("model.embed_tokens", PresentAdapter.Lora), (embedding.Name, embedding.Adapter));
        Assert.Equal(
            ["lm_head"], ModuleCatalogue.LinearModules(BaseModel.Of(model).Canonical.Graph).Select(static m => m.Name));
        var peft = PeftModel.Create(model, new LoraConfig { R = 2, TargetModules = ["embed_tokens"] });
        Assert.Equal(2, peft.Parameters.Count);
        Assert.Throws<ConfigException>(() => PeftModel.Create(
            model, new LoraConfig { R = 2, TargetModules = ["lm_head"], ModulesToSave = ["embed_tokens"] }));
        Assert.Throws<ConfigException>(() => PeftModel.Create(
            model, new LoraConfig { R = 2, TargetModules = ["lm_head"], TrainableTokenIndices = TokenIndices.Of(1) }));
        var error = Assert.Throws<ConfigException>(() => PeftModel.Create(model, new PromptTuningConfig()));
        Assert.Contains("merge_and_unload()", error.Message, StringComparison.Ordinal);
    }

    private const string Other = "model.layers.0.self_attn.k_proj";

    private static TheoryData<string, string> Pairs(IEnumerable<string> methods)
    {
        var data = new TheoryData<string, string>();
        foreach (var method in methods)
            foreach (var form in Forms.Keys)
                data.Add(form, method);
        return data;
    }

    private static PeftModel Trained(PeftModel peft)
    {
        var weights = peft.GetWeights().Select(static (w, n) => KeyValuePair.Create(w.Key, Tensor.Of<float>(
            [.. Probe.Numbers((int)w.Value.Count, n + 0.2).Select(static v => (float)v)], w.Value.Dims.AsSpan())));
        peft.SetWeights(new Dictionary<string, Tensor>(weights));
        return peft;
    }

    private static Model Build(string form) => Build(Forms[form]);

    /// <summary>The layer, and a second one that has no pair: y·tanh(k).</summary>
    private static Model Build(Func<GraphBuilder, Value, Value> layer)
    {
        var model = new Model(opset: 21);
        var g = new GraphBuilder(model.Graph, new ShapeInference(21));
        var x = g.Reshape(model.Graph.AddInput("x", ElementType.Float, [Dim.Named("batch"), Ins]), 2, 3, Ins);
        var y = layer(g, x);
        var k = g.Op("Tanh", g.MatMul(x, W(g, $"{Other}.weight")));
        model.Graph.AddOutput(g.Reshape(g.Mul(y, k), Rows, Outs));
        return model;
    }

    private static Model Embedding(string table, string a)
    {
        var model = new Model(opset: 21);
        var g = new GraphBuilder(model.Graph, new ShapeInference(21));
        var ids = model.Graph.AddInput("input_ids", ElementType.Int64, [Dim.Named("batch"), Dim.Named("sequence")]);
        var rows = g.Gather(Matrix(g, table, 8, Ins, 1.1), ids);
        var low = g.Gather(g.Transpose(Matrix(g, a, 2, 8, 0.4), 1, 0), ids);
        var h = g.Add(rows, Scaled(g, g.MatMul(low, Matrix(g, "val_9", 2, Ins, 0.7))));
        model.Graph.AddOutput(g.MatMul(h, Matrix(g, "lm_head.weight", Ins, 8, 2.2)));
        return model;
    }

    private static float[] Answer(Model model)
    {
        var x = Tensor.Of<float>([.. Probe.Numbers(Rows * Ins, 0.3).Select(static v => (float)v)], [Rows, Ins]);
        return OnnxRun.Of(model, new Dictionary<string, Tensor> { ["x"] = x }).Values.Single().ToFloat32();
    }

    private static Value Pair(GraphBuilder g, Value x, string a, string b) => g.MatMul(g.MatMul(x, A(g, a)), B(g, b));

    private static Value Scaled(GraphBuilder g, Value y) => g.Mul(y, g.Constant(Tensor.Scalar(2f)));

    private static Value W(GraphBuilder g, string name = $"{Layer}.weight", bool isTurned = false) =>
        isTurned ? Matrix(g, name, Outs, Ins, 1.1) : Matrix(g, name, Ins, Outs, 1.1);

    private static Value A(GraphBuilder g, string name, bool isTurned = false) =>
        isTurned ? Matrix(g, name, 2, Ins, 0.4) : Matrix(g, name, Ins, 2, 0.4);

    private static Value B(GraphBuilder g, string name, bool isTurned = false, int width = Outs) =>
        isTurned ? Matrix(g, name, width, 2, 0.7) : Matrix(g, name, 2, width, 0.7);

    private static Value Residual(GraphBuilder g, Value x) =>
        g.Op("Tanh", g.Concat(-1, x, g.Op("Slice", x, g.Int64(0), g.Int64(2), g.Int64(-1))));

    private static Value Bias(GraphBuilder g, string name) => g.Graph.AddInitializer(
        name, Tensor.Of<float>([.. Probe.Numbers(Outs, 2.7).Select(static v => (float)v)], [Outs]));

    private static Value Slot(GraphBuilder g, string name, int rows, int columns, double seed)
    {
        var content = Matrix(g, $"{name}/default", rows, columns, seed);
        var input = g.Graph.AddInput(name, ElementType.Float, [rows, columns]);
        g.Graph.SetInitializer(input, content.Initializer!);
        g.Graph.Remove(content);
        return input;
    }

    private static Value Matrix(GraphBuilder g, string name, int rows, int columns, double seed) => g.Graph.AddInitializer(
        name, Tensor.Of<float>([.. Probe.Numbers(rows * columns, seed).Select(static v => (float)v)], [rows, columns]));

    private static Value Quantized(GraphBuilder g)
    {
        sbyte[] integers = [.. Probe.Numbers(Ins * Outs, 1.1).Select(static v => (sbyte)(v * 127))];
        return g.Op(
            "DequantizeLinear",
            g.Graph.AddInitializer($"{Layer}.weight_quantized", Tensor.Of<sbyte>(integers, [Ins, Outs])),
            g.Graph.AddInitializer($"{Layer}.weight_scale", Tensor.Scalar(1f / 127)));
    }
}
