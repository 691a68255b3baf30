using OrtPeft.Adapters.BitFit;
using OrtPeft.Adapters.Full;
using OrtPeft.Adapters.Ia3;
using OrtPeft.Adapters.Lora;
using OrtPeft.Adapters.Modules;
using OrtPeft.Adapters.Quantization;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Quantization;
using OrtPeft.Tensors;
using OrtPeft.Tensors.Storage;
using OrtPeft.Testing;

namespace OrtPeft.Adapters.Tests.Quantization;

public sealed class ModelQuantizerTests
{
    [Theory]
    [InlineData(Gpt2.Imported, "int4")]
    [InlineData(Gpt2.Op17, "int4")]
    [InlineData(QuantizedBase.Llama, "int4")]
    [InlineData(Gpt2.Imported, "nf4")]
    [InlineData(Gpt2.Op17, "nf4")]
    [InlineData(QuantizedBase.Llama, "nf4")]
    public void Quantize_WithoutTargets_TakesEveryLinearLayerButTheHead(string name, string form)
    {
        var model = QuantizedBase.Float(name);
        var before = PeftModel.Create(model, new LoraConfig());

        var result = ModelQuantizer.Quantize(model, QuantizedBase.Forms[form]);

        var modules = ModuleCatalogue.LinearModules(result.Model.Graph);
        Assert.Equal(
            ModuleCatalogue.LinearModules(before.Model.Graph).Select(static m => m.Name).Where(IsOfBase),
            modules.Select(static m => m.Name));
        Assert.All(modules, static m => Assert.Equal(!m.IsOutputLayer, QuantizedWeight.Find(m.Weight) is not null));
        Assert.Equal(
            modules.Where(static m => !m.IsOutputLayer).Select(static m => m.Name),
            result.Layers.Select(static l => l.Name));
        Assert.All(result.Layers, static l => Assert.InRange(l.RelativeError, 0.01, 0.2));
        Assert.Equal(before.TotalParameterCount, PeftModel.Create(result.Model, new LoraConfig()).TotalParameterCount);

        static bool IsOfBase(string module) => !module.Contains(".lora_", StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(Gpt2.Imported, "int4")]
    [InlineData(QuantizedBase.Llama, "int4")]
    [InlineData(Gpt2.Imported, "nf4")]
    [InlineData(QuantizedBase.Llama, "nf4")]
    public void Merge_IntoAQuantisedBase_MakesTheAdaptedLayersFloat(string name, string form)
    {
        var target = name == QuantizedBase.Llama ? "q_proj" : "c_attn";
        PeftConfig[] configs =
        [
            new LoraConfig { R = 4, InitLoraWeights = false, UseDora = true, TargetModules = [target] },
            new Ia3Config { InitIa3Weights = false, TargetModules = [target], FeedforwardModules = [] },
        ];
        foreach (var config in configs)
        {
            var peft = PeftModel.Create(QuantizedBase.Quantized(name, form), config, seed: 2);

            var merged = peft.Merge();

            var modules = ModuleCatalogue.LinearModules(merged.Graph);
            Assert.All(modules, m => Assert.Equal(
                !m.IsOutputLayer && !m.Name.EndsWith(target, StringComparison.Ordinal),
                QuantizedWeight.Find(m.Weight) is not null));
            // float32 through two layers: sums in another order
            Near.Relative(Logits(peft.ForInference(), name), Logits(merged, name), 1e-5, config.PeftType);
            Assert.DoesNotContain(merged.Graph.Initializers, static v => v.Uses.Count == 0);
        }
    }

    [Fact]
    public void Create_OfFullFineTuning_IsRefused()
    {
        var quantized = QuantizedBase.Quantized(Gpt2.Imported);

        var error = Assert.Throws<ConfigException>(() => PeftModel.Create(quantized, new FullConfig()));

        Assert.Contains("is quantised", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Create_WhenAQuantisedModuleIsToBeSaved_IsRefused()
    {
        var config = new LoraConfig { TargetModules = ["c_attn"], ModulesToSave = ["mlp.c_fc"] };

        var error = Assert.Throws<ConfigException>(
            () => PeftModel.Create(QuantizedBase.Quantized(Gpt2.Imported), config));

        Assert.Contains("h.0.mlp.c_fc", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Create_OfAMethodThatReadsNoWeights_TakesNoHeed()
    {
        var peft = PeftModel.Create(QuantizedBase.Quantized(Gpt2.Imported), new BitFitConfig());

        Assert.Equal(
            PeftModel.Create(Gpt2.Open(Gpt2.Imported), new BitFitConfig()).GetWeights().Keys, peft.GetWeights().Keys);
    }

    [Fact]
    public void Quantize_WhenQuantisedAlready_SaysSo()
    {
        var quantized = QuantizedBase.Quantized(Gpt2.Imported);

        var error = Assert.Throws<ConfigException>(() => ModelQuantizer.Quantize(quantized, new BlockFormat()));

        Assert.Contains("quantised already", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Quantize_WhenTheTargetIsATiedHead_IsRefused()
    {
        var error = Assert.Throws<ConfigException>(
            () => ModelQuantizer.Quantize(Gpt2.Open(Gpt2.Imported), new BlockFormat(), ["lm_head"]));

        Assert.Contains("embedding", error.Message, StringComparison.Ordinal);
    }

    /// <summary>One scale for the whole matrix, and one per row or column, as other quantisers write them.</summary>
    [Theory]
    [InlineData(-1)]
    [InlineData(0)]
    [InlineData(1)]
    public void ToFloat32_OfOtherQuantisersWeights_IsWhatOnnxRuntimeComputes(int axis)
    {
        sbyte[] values = [-128, 127, 3, 0, -5, 6];
        float[] scales = axis switch
        {
            0 => [0.5f, 0.25f],
            1 => [0.5f, 0.25f, 2],
            _ => [0.5f],
        };
        var model = SmallGraphs.Of((g, x) =>
        {
            var q = g.Constant(Tensor.Of<sbyte>(values, [2, 3]), "q");
            var s = g.Constant(axis < 0 ? Tensor.Scalar(scales[0]) : Tensor.Vector<float>(scales), "s");
            var w = g.Op("DequantizeLinear", [q, s], NodeAttribute.Of("axis", (long)Math.Max(axis, 0)));
            return g.MatMul(x, w);
        });
        var identity = Tensor.Of<float>([1, 0, 0, 1], [2, 2]);
        var weight = QuantizedWeight.Find(model.Graph.Nodes[0].Output)!;

        var expected = OnnxRun.Of(model, new Dictionary<string, Tensor> { ["x"] = identity }).Values.Single();

        Assert.Equal(expected.ToFloat32(), weight.ToFloat32().ToFloat32());
    }

    /// <summary>The identity picks single numbers, so that nothing is rounded on the way.</summary>
    [Theory]
    [InlineData(96, 40, 0)]
    [InlineData(40, 96, 1)]
    [InlineData(50, 3, 0)] // two blocks of 25
    [InlineData(7, 61, 1)] // a prime: blocks of 61
    public void ToFloat32_OfNf4_IsWhatOnnxRuntimeComputes(int rows, int columns, int axis)
    {
        float[] numbers = [.. Enumerable.Range(0, rows * columns).Select(static i => MathF.Sin(i * 1.3f) * (1 + (i % 7)))];
        var model = new Model(opset: 21);
        var x = model.Graph.AddInput("x", ElementType.Float, [rows, rows]);
        var value = model.Graph.AddInitializer("w", Tensor.Of<float>(numbers, [rows, columns]));
        model.Graph.AddOutput(model.Graph.AddNode("MatMul", [x, value], ["y"]).Output);
        var quantized = BlockQuantizer.Quantize(value.Initializer!, axis, QuantizedBase.Forms["nf4"]);
        QuantizedWeight.Replace(GraphBuilder.Over(model), value, quantized);
        var weight = QuantizedWeight.Find(model.Graph.Find("w")!)!;
        var identity = new float[rows * rows];
        for (var i = 0; i < rows; i++)
            identity[(i * rows) + i] = 1;

        var expected = OnnxRun.Of(
            model, new Dictionary<string, Tensor> { ["x"] = Tensor.Of<float>(identity, [rows, rows]) }).Values.Single();

        Assert.Equal(expected.ToFloat32(), weight.ToFloat32().ToFloat32());
        Assert.Equal(expected.ToFloat32(), quantized.ToFloat32().ToFloat32());
        Assert.Equal([rows, columns], weight.Dims.AsEnumerable());
    }

    /// <summary>Nodes that have the form and are no blocks side by side: ONNX Runtime computes them as they are.</summary>
    [Theory]
    [InlineData("scales of more columns")]
    [InlineData("codes with a zero point")]
    [InlineData("a matrix of other axes")]
    public void Find_OfACodeBookThatDoesNotFit_FindsNothing(string damage)
    {
        var model = new Model(opset: 21);
        var value = model.Graph.AddInitializer("w", Tensor.Of<float>(new float[96 * 40], [96, 40]));
        model.Graph.AddOutput(model.Graph.AddNode("Identity", [value], ["y"]).Output);
        var quantized = BlockQuantizer.Quantize(value.Initializer!, 0, QuantizedBase.Forms["nf4"]);
        QuantizedWeight.Replace(GraphBuilder.Over(model), value, quantized);
        Node Only(string op) => model.Graph.Nodes.First(n => n.Is(op));
        Assert.NotNull(QuantizedWeight.Find(model.Graph.Find("w")!));

        if (damage == "scales of more columns")
            model.Graph.SetInitializer(Only("Mul").Inputs[0]!, Tensor.Of<float>(new float[2 * 41], [2, 1, 41]));
        else if (damage == "codes with a zero point")
            Shift(GraphBuilder.Over(model), Only("Cast"));
        else
            model.Graph.SetInitializer(Only("Reshape").Inputs[1]!, Tensor.Vector<long>(40, 96));

        Assert.Null(QuantizedWeight.Find(model.Graph.Find("w")!));
    }

    private static void Shift(GraphBuilder g, Node cast)
    {
        g.Before = cast;
        var codes = cast.Inputs[0]!.Producer!;
        var zero = g.Constant(new Tensor(ElementType.UInt4, [], new MemoryTensorData(new byte[1])), "zero");
        cast.SetInput(0, g.Op("DequantizeLinear", codes.Inputs[0], codes.Inputs[1], zero));
    }

    private static Tensor Logits(Model model, string name) =>
        OnnxRun.Of(WithoutCaches(model), QuantizedBase.Batch(name)).Values.Single();

    private static Model WithoutCaches(Model model)
    {
        var copy = model.Clone();
        foreach (var output in copy.Graph.Outputs.Skip(1).ToArray())
            copy.Graph.RemoveOutput(output);
        copy.Graph.RemoveDeadCode();
        Onnx.Passes.PastRemoval.Run(copy);
        return copy;
    }
}
