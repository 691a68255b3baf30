using OrtPeft.Adapters.LinearAlgebra;
using OrtPeft.Adapters.Lora;
using OrtPeft.Adapters.Quantization;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Passes;
using OrtPeft.Onnx.Quantization;
using OrtPeft.Tensors;
using OrtPeft.Testing;

namespace OrtPeft.Adapters.Tests.Quantization;

public sealed class LoftqQuantizerTests
{
    private static readonly LoraConfig Config = new() { R = 4, LoraAlpha = 12 };

    /// <summary>GPT-2 stores [in, out], exported or imported, Llama [out, in].</summary>
    public static TheoryData<string, string, bool> Cases
    {
        get
        {
            var cases = new TheoryData<string, string, bool>();
            foreach (var name in new[] { Gpt2.Imported, Gpt2.Op17, QuantizedBase.Llama })
                foreach (var form in QuantizedBase.Forms.Keys)
                    foreach (var useRslora in new[] { false, true })
                        cases.Add(name, form, useRslora);
            return cases;
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Quantize_LeavesBaseAndAdapterCloserThanTheBaseAlone(string name, string form, bool useRslora)
    {
        var model = QuantizedBase.Float(name);
        var plain = ModelQuantizer.Quantize(model, QuantizedBase.Forms[form]);

        var result = LoftqQuantizer.Quantize(model, QuantizedBase.Forms[form], Config with { UseRslora = useRslora });

        var weights = Weights(model);
        var merged = Weights(result.Adapter.Merge());
        foreach (var (before, layer) in plain.Layers.Zip(result.Quantized.Layers))
        {
            var weight = weights[$"{before.Name}.weight"];
            var actual = Norm(Difference(weight, merged[$"{layer.Name}.weight"])) / Norm(weight);
            Assert.Equal(before.Name, layer.Name);
            Assert.Equal(before.RelativeError, layer.RelativeError, 1e-6); // one iteration quantises W itself
            Assert.Equal(before.Bytes, layer.Bytes);
            Assert.Equal(layer.RelativeErrorWithAdapter!.Value, actual, 1e-5); // float32 of weights below 1
            Assert.True(actual < 0.95 * before.RelativeError, $"{layer.Name}: {actual}, {before.RelativeError}");
        }
    }

    /// <summary>The paper's algorithm 1 on a matrix [out, in], in float64 but for the quantiser, s = 1.</summary>
    [Theory]
    [InlineData(Gpt2.Imported, 1)]
    [InlineData(Gpt2.Imported, 3)]
    [InlineData(QuantizedBase.Llama, 1)]
    [InlineData(QuantizedBase.Llama, 3)]
    public void Quantize_IsThePapersAlgorithm(string name, int iterations)
    {
        var model = QuantizedBase.Float(name);
        var format = QuantizedBase.Forms["nf4"];

        var result = LoftqQuantizer.Quantize(model, format, Config, iterations);

        var before = Weights(model);
        var after = Weights(QuantizedBase.Dequantized(result.Quantized.Model));
        foreach (var layer in result.Quantized.Layers)
        {
            var isOutByIn = name == QuantizedBase.Llama;
            var (weight, actual) = (before[$"{layer.Name}.weight"], after[$"{layer.Name}.weight"]);
            var (quantized, low) = Textbook(OutByIn(weight, isOutByIn), format, iterations);
            var (a, b) = (Factor("A"), Factor("B"));
            var product = Matrix.Of(b.Rows, b.Columns, b.ToTensor().ToFloat32(), 3).Times(a); // s = 12 / 4
            // float32 of both sides, and A and B rounded to it between iterations
            Near.Relative(quantized.ToTensor(), OutByIn(actual, isOutByIn).ToTensor(), 1e-5, layer.Name);
            Near.Within(
                low.ToTensor().ToFloat32(), product.ToTensor().ToFloat32(), 1e-5 * Largest(weight), $"{layer.Name} low");

            Matrix Factor(string which)
            {
                var tensor = result.Adapter.GetWeights()[$"base_model.model.{layer.Name}.lora_{which}.weight"];
                return Matrix.Of((int)tensor.Dims[0], (int)tensor.Dims[1], tensor.ToFloat32(), 1);
            }
        }
    }

    [Theory]
    [InlineData(Gpt2.Imported)]
    [InlineData(QuantizedBase.Llama)]
    public void Quantize_WithMoreIterations_MissesLessInSum(string name)
    {
        var model = QuantizedBase.Float(name);

        double[] missed = [.. new[] { 1, 2, 5 }.Select(n => LoftqQuantizer
            .Quantize(model, QuantizedBase.Forms["nf4"], Config, n).Quantized.Layers
            .Sum(static l => l.RelativeErrorWithAdapter!.Value))];

        Assert.True(missed[1] < missed[0] && missed[2] < missed[0], string.Join(", ", missed));
    }

    [Fact]
    public void Adapter_AfterSavingAndLoading_IsAnOrdinaryOne()
    {
        using var folder = new TemporaryFolder();
        var result = LoftqQuantizer.Quantize(QuantizedBase.Float(Gpt2.Imported), new BlockFormat(), Config);

        result.Adapter.Save(folder.Path);

        var config = Assert.IsType<LoraConfig>(AdapterFolder.LoadConfig(folder.Path));
        Assert.Equal(LoraInit.Kaiming, config.InitLoraWeights);
        var loaded = PeftModel.Load(result.Quantized.Model, folder.Path).GetWeights();
        foreach (var (parameter, tensor) in result.Adapter.GetWeights())
            Assert.Equal(tensor.ToFloat32(), loaded[parameter].ToFloat32());
    }

    [Fact]
    public void Quantize_OfDora_IsRefused()
    {
        var error = Assert.Throws<ConfigException>(() => LoftqQuantizer.Quantize(
            QuantizedBase.Float(Gpt2.Imported), new BlockFormat(), Config with { UseDora = true }));

        Assert.Contains("use_dora", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("wte", "embedding")]
    [InlineData("lm_head", "embedding")]
    public void Quantize_OfWhatIsAnEmbedding_IsRefused(string target, string part)
    {
        var config = Config with { TargetModules = [target] };

        var error = Assert.Throws<ConfigException>(
            () => LoftqQuantizer.Quantize(QuantizedBase.Float(Gpt2.Imported), new BlockFormat(), config));

        Assert.Contains(part, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Quantize_WhenTheRankIsMoreThanTheWeights_SaysSo()
    {
        var error = Assert.Throws<ConfigException>(() => LoftqQuantizer.Quantize(
            QuantizedBase.Float(Gpt2.Imported), new BlockFormat(), Config with { R = 100 }));

        Assert.Contains("r is 100", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Create_OfAnHfAdapterThatStartedByLoftq_TakesItsWeights()
    {
        var config = new LoraConfig { R = 4, TargetModules = ["c_attn"] };
        var quantized = QuantizedBase.Quantized(Gpt2.Imported);
        var weights = PeftModel.Create(quantized, config with { InitLoraWeights = false }, seed: 7).GetWeights();

        var peft = PeftModel.Create(quantized, config with { InitLoraWeights = "loftq" }, weights, "hf");

        Assert.Equal(LoraInit.Kaiming, Assert.IsType<LoraConfig>(peft.Config).InitLoraWeights);
        Assert.All(weights, w => Assert.Equal(w.Value.ToFloat32(), peft.GetWeights()[w.Key].ToFloat32()));
    }

    [Fact]
    public void Create_OfAFreshAdapterByLoftq_SaysWhatToDo()
    {
        var config = new LoraConfig { InitLoraWeights = "loftq" };

        var error = Assert.Throws<ConfigException>(
            () => PeftModel.Create(QuantizedBase.Quantized(Gpt2.Imported), config));

        Assert.Contains("quantize <float model> --loftq", error.Message, StringComparison.Ordinal);
    }

    private static (Matrix Quantized, Matrix Low) Textbook(Matrix weight, BlockFormat format, int iterations)
    {
        var low = new Matrix(weight.Rows, weight.Columns);
        var quantized = low;
        for (var t = 0; t < iterations; t++)
        {
            var rest = BlockQuantizer.Quantize(Combine(weight, low, -1).ToTensor(), 1, format).ToFloat32();
            quantized = Matrix.Of(weight.Rows, weight.Columns, rest.ToFloat32(), 1);
            var svd = SingularDirections.Exact(Combine(weight, quantized, -1), Config.R);
            low = svd.Left.Transposed().Times(svd.Right.ScaledRows([.. svd.Values]));
        }

        return (quantized, low);
    }

    private static Matrix Combine(Matrix a, Matrix b, double factor)
    {
        var result = new Matrix(a.Rows, a.Columns);
        for (var i = 0; i < a.Rows; i++)
            for (var j = 0; j < a.Columns; j++)
                result.Row(i)[j] = a.Row(i)[j] + (factor * b.Row(i)[j]);
        return result;
    }

    private static Matrix OutByIn(Tensor weight, bool isOutByIn)
    {
        var stored = Matrix.Of((int)weight.Dims[0], (int)weight.Dims[1], weight.ToFloat32(), 1);
        return isOutByIn ? stored : stored.Transposed();
    }

    private static Dictionary<string, Tensor> Weights(Model model)
    {
        var copy = model.Clone();
        CanonicalForm.Apply(copy);
        return Adapters.Modules.ModuleCatalogue.LinearModules(copy.Graph).Where(static m => !m.IsOutputLayer)
            .ToDictionary(static m => $"{m.Name}.weight", static m => m.Weight.Initializer!);
    }

    private static float[] Difference(Tensor a, Tensor b) =>
        [.. a.ToFloat32().Zip(b.ToFloat32(), static (x, y) => x - y)];

    private static float Largest(Tensor tensor) => tensor.ToFloat32().Max(float.Abs);

    private static double Norm(Tensor tensor) => Norm(tensor.ToFloat32());

    private static double Norm(float[] numbers) => Math.Sqrt(numbers.Sum(static n => (double)n * n));
}
