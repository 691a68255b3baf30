using OrtPeft.Adapters.Quantization;
using OrtPeft.Compilation.Graphs;
using OrtPeft.Compilation.Objectives;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Quantization;
using OrtPeft.Runtime.Sessions;
using OrtPeft.Tensors;
using OrtPeft.Testing;
using OrtPeft.Training.Metrics;

namespace OrtPeft.Training.Tests.Runs;

/// <summary>Products with frozen weights in float16. The CPU rounds to it, and sums in float32, as CUDA does.</summary>
public sealed class Float16Tests
{
    private static readonly TrainingArguments Arguments = Tiny.Arguments with { Precision = ProductPrecision.Fp16 };

    public static TheoryData<string> Bases => ["float", "int4", "nf4"];

    [Theory]
    [MemberData(nameof(Bases))]
    public void Train_FollowsFloat32ButForRounding(string kind)
    {
        var (single, half) = (Tiny.Lora(BaseOf(kind), dropout: 0.25), Tiny.Lora(BaseOf(kind), dropout: 0.25));

        var expected = Tiny.Run(single, Tiny.Arguments with { MaxSteps = 16 });
        var actual = Tiny.Run(half, Arguments with { MaxSteps = 16 });

        Near.Relative(Losses(expected), Losses(actual), 2e-3, "loss");
        Assert.NotEqual(Losses(expected), Losses(actual));
        Assert.True(Losses(expected)[^4..].Sum() < 0.95 * Losses(expected)[..4].Sum(), "The rate is too low to tell.");
        Assert.DoesNotContain(actual, static s => s.IsSkipped);
    }

    /// <summary>Scale and count are states like the moments: in the machine's memory, on a device, in a checkpoint.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    public void Train_OnADeviceAndResumed_EndsWithTheBitsOfTheHostsMemory(int stop)
    {
        using var folder = new TemporaryFolder();
        var arguments = Arguments with { Shuffle = true };
        var host = Tiny.Lora(Large());
        var expected = Tiny.Run(host, arguments);
        var onDevice = arguments with
        {
            Runtime = arguments.Runtime with { DeviceMemory = "Cpu" },
            OutputFolder = folder.Path,
        };
        using var cancellation = new CancellationTokenSource();
        using (var first = new Trainer(Tiny.Lora(Large()), onDevice, Tiny.Data))
        {
            first.Train(
                new Tiny.Observer(p =>
                {
                    if (p.Metrics.Step == stop)
                        cancellation.Cancel();
                }),
                cancellation.Token);
        }

        var resumed = Tiny.Lora(Large(), seed: 77);
        var actual = Tiny.Run(resumed, onDevice with { Resume = true });

        Assert.Equal(Losses(expected)[stop..], Losses(actual));
        Assert.Equal(expected.Select(static s => s.IsSkipped).Skip(stop), actual.Select(static s => s.IsSkipped));
        Assert.Equal(Tiny.Numbers(host), Tiny.Numbers(resumed));
        Assert.True(expected[0].IsSkipped && expected.Any(static s => !s.IsSkipped));
    }

    /// <summary>The first gradients are too large for float16 at the first scale.</summary>
    [Fact]
    public void Train_WhenGradientsOverflow_SkipsStepsAndHalvesTheScale()
    {
        using var folder = new TemporaryFolder();
        var model = Tiny.Lora(Large());
        var before = Tiny.Numbers(model);

        var steps = Tiny.Run(model, Arguments with { MaxSteps = 1, OutputFolder = folder.Path });

        Assert.True(steps[0].IsSkipped);
        Assert.True(double.IsNaN(steps[0].GradNorm));
        Assert.Equal(before, Tiny.Numbers(model));
        Assert.Contains("\"skipped\":true", File.ReadAllText(folder["metrics.jsonl"]), StringComparison.Ordinal);
    }

    /// <summary>A gradient that is not finite at any scale would be skipped for ever.</summary>
    [Fact]
    public void Train_WhenNoScaleHelps_EndsAndSaysWhatDoes()
    {
        var model = Large();
        Multiply(model, "ln_f.weight", static _ => 6);
        Multiply(model, "h.1.mlp.c_fc.weight", _ => 0); // so that the matrix after it has nothing to multiply
        Multiply(model, "h.1.mlp.c_fc.bias", _ => 0);
        Multiply(model, "h.1.mlp.c_proj.weight", static largest => 6e4f / largest);

        var error = Assert.Throws<TrainingFailedException>(() => Tiny.Run(Tiny.Lora(model), Arguments with { MaxSteps = 40 }));

        Assert.Contains("at a loss scale of 1", error.Message, StringComparison.Ordinal);
        Assert.Contains("bf16 or float32", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("bf16", "webgpu", "cuda")]
    [InlineData("bf16", "dml", "cuda")]
    [InlineData("fp16", "openvino", "cpu, cuda, dml, webgpu")]
    public void Validate_WhereTheProviderHasNoSuchProducts_NamesThoseThatHave(string precision, string provider, string others)
    {
        var arguments = Tiny.Arguments with { Precision = precision, Runtime = new RuntimeOptions { Provider = provider } };

        var error = Assert.Throws<SettingException>(arguments.Validate);

        Assert.StartsWith($"Precision is {precision}, which the provider {provider}", error.Message, StringComparison.Ordinal);
        Assert.Contains(others, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("cuda", "bf16", ElementType.BFloat16)]
    [InlineData("cuda", "auto", ElementType.Float)]
    [InlineData("cpu", "bf16", ElementType.Float)]
    [InlineData("cpu", "fp16", ElementType.Float16)]
    [InlineData("webgpu", "fp16", ElementType.Float16)]
    public void InGraph_IsWhatTheProviderMultiplies(string provider, string precision, ElementType expected) =>
        Assert.Equal(expected, ProductPrecision.InGraph(precision, new RuntimeOptions { Provider = provider }));

    /// <summary>Rounded, such a weight would be infinite: its products stay float32, and all others are float16's.</summary>
    [Fact]
    public void HalfProducts_OfAWeightBeyondFloat16_LeavesItAsItIs()
    {
        var model = Tiny.Base;
        var weight = model.Graph.Initializers.First(static v => v.Name.Contains("h.1.mlp.c_fc.weight", StringComparison.Ordinal));
        var numbers = weight.Initializer!.ToFloat32();
        numbers[5] = 1e5f;
        model.Graph.SetInitializer(weight, Tensor.Of<float>(numbers, weight.Initializer.Dims.AsSpan()));

        var graph = HalfProducts.Of(
            TrainingGraph.Build(Tiny.Lora(model), new CausalLm()), ElementType.Float16, rounds: false).Graph;

        var products = graph.Nodes.Where(static n => n.Is("MatMul") || n.Is("Gemm")).ToArray();
        Assert.Equal(2, products.Count(n => n.Inputs.Any(i => i?.Name == weight.Name)));
        Assert.Contains(products, static n => n.Output.Type == ElementType.Float16);
        Assert.DoesNotContain(products, n => n.Output.Type == ElementType.Float
            && n.Inputs.Any(i => i is { Initializer: not null, Shape.Rank: 2 } && i.Name != weight.Name));
    }

    /// <summary>A head of large numbers, whose gradients are large.</summary>
    private static Model Large()
    {
        var model = Tiny.Base;
        Multiply(model, "wte.weight", static _ => 400);
        return model;
    }

    /// <summary>Multiplies a weight by a factor, given its largest number.</summary>
    private static void Multiply(Model model, string name, Func<float, float> factor)
    {
        var weight = model.Graph.Initializers.First(v => v.Name.EndsWith(name, StringComparison.Ordinal));
        var numbers = weight.Initializer!.ToFloat32();
        var by = factor(numbers.Max(float.Abs));
        model.Graph.SetInitializer(weight, Tensor.Of<float>([.. numbers.Select(n => n * by)], weight.Initializer.Dims.AsSpan()));
    }

    private static Model BaseOf(string kind) => kind switch
    {
        "int4" => ModelQuantizer.Quantize(Tiny.Base, new BlockFormat()).Model,
        "nf4" => ModelQuantizer.Quantize(Tiny.Base, new BlockFormat { CodeBook = CodeBook.NormalFloat4 }).Model,
        _ => Tiny.Base,
    };

    private static float[] Losses(IEnumerable<StepMetrics> steps) => [.. steps.Select(static s => (float)s.Loss)];
}
