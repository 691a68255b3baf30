using OrtPeft.Adapters.Lora;
using OrtPeft.Adapters.Modules;
using OrtPeft.Models;
using OrtPeft.Onnx.Passes;
using OrtPeft.Tensors;
using OrtPeft.Tensors.Safetensors;
using OrtPeft.Testing;

namespace OrtPeft.Adapters.Tests.Lora;

/// <summary>Folders of mlx-lm: other names, transposed, and a scale of its own.</summary>
public sealed class MlxLayoutTests
{
    private const string Lora = """{"fine_tune_type":"lora","model":"org/base","num_layers":2,"lora_parameters":{"rank":2,"scale":10.0,"dropout":0.25}}""";

    [Theory]
    [InlineData("lora", false)]
    [InlineData("dora", true)]
    public void Load_GivesHfPeftsAdapter(string kind, bool hasMagnitudes)
    {
        using var folder = new TemporaryFolder();
        Write(folder, Lora.Replace("\"lora\"", $"\"{kind}\"", StringComparison.Ordinal), hasMagnitudes);

        var loaded = PeftModel.Load(SmallGraphs.Linear(), folder.Path);

        var config = (LoraConfig)loaded.Config;
        Assert.Equal((2, 20.0, 0.25, hasMagnitudes, "org/base"), (config.R, config.LoraAlpha, config.LoraDropout, config.UseDora, config.BaseModelNameOrPath));
        Assert.Equal(10, config.ScaleOf("linear"));
        var weights = loaded.GetWeights();
        Assert.Equal([1f, 3, 2, 4], weights["base_model.model.linear.lora_A.weight"].ToFloat32());
        Assert.Equal([1f, 5, 2, 6, 3, 7, 4, 8], weights["base_model.model.linear.lora_B.weight"].ToFloat32());
        Assert.Equal(hasMagnitudes, weights.ContainsKey("base_model.model.linear.lora_magnitude_vector"));
    }

    [Theory]
    [InlineData("""{"fine_tune_type":"full","num_layers":2}""", "of mlx-lm's, lora and dora are read")]
    [InlineData("""{"fine_tune_type":"lora","lora_parameters":{"rank":2,"scale":10.0,"alpha":16}}""", "has alpha")]
    [InlineData("""{"fine_tune_type":"lora","lora_parameters":{"rank":0,"scale":10.0}}""", "a rank of 1 or more")]
    [InlineData("""{"fine_tune_type":"lora","lora_parameters":{"rank":2}}""", "a rank of 1 or more and a scale")]
    public void LoadConfig_OfWhatIsNotRead_SaysWhat(string json, string part)
    {
        using var folder = new TemporaryFolder();
        Write(folder, json, hasMagnitudes: false);

        var error = Assert.Throws<ConfigException>(() => AdapterFolder.LoadConfig(folder.Path));

        Assert.Contains(part, error.Message, StringComparison.Ordinal);
    }

    /// <summary>W[e] + scale · b[e]·a[e] for each layer of each expert, whatever HF keeps in one parameter.</summary>
    [Theory]
    [InlineData("mixtral", "block_sparse_moe", "gate_proj up_proj down_proj")]
    [InlineData("qwen3_moe", "mlp", "gate_proj up_proj down_proj")]
    [InlineData("qwen3_moe", "mlp", "up_proj")]
    [InlineData("qwen3_moe", "mlp", "down_proj")]
    public void Load_OfExperts_ChangesEachExpertsLayers(string family, string block, string parts)
    {
        const double Scale = 3;
        const int Rank = 2;
        var source = ModelSource.Open(Path.Combine(Fixtures.Folder, "families", family)).Model;
        var random = new Random(1);
        using var folder = new TemporaryFolder();
        var tensors = new Dictionary<string, Tensor>
        {
            [$"model.layers.0.{block}.gate.lora_a"] = Drawn(32, Rank),
            [$"model.layers.0.{block}.gate.lora_b"] = Drawn(Rank, 4),
            ["model.layers.1.self_attn.q_proj.lora_a"] = Drawn(32, Rank),
            ["model.layers.1.self_attn.q_proj.lora_b"] = Drawn(Rank, 32),
        };
        var inner = family == "mixtral" ? 64 : 32;
        foreach (var part in parts.Split(' '))
        {
            var (inputs, outputs) = part == "down_proj" ? (inner, 32) : (32, inner);
            tensors[$"model.layers.0.{block}.switch_mlp.{part}.lora_a"] = Drawn(4, Rank, inputs);
            tensors[$"model.layers.0.{block}.switch_mlp.{part}.lora_b"] = Drawn(4, outputs, Rank);
        }

        File.WriteAllText(
            folder["adapter_config.json"],
            """{"fine_tune_type":"lora","lora_parameters":{"rank":2,"scale":3.0,"dropout":0.1}}""");
        SafetensorsFile.Save(folder["adapters.safetensors"], [.. tensors.Select(static t => (t.Key, t.Value))]);

        var merged = PeftModel.Load(source, folder.Path).Merge();

        CanonicalForm.Apply(source);
        CanonicalForm.Apply(merged);
        var (before, after) = (ByPath(source.Graph), ByPath(merged.Graph));
        Assert.Equal(before.Keys, after.Keys);
        foreach (var (path, (weight, isOutByIn)) in before)
        {
            var (layer, parameter) = (path.Split('.')[2], path.Split('.')[^1]);
            var expected = weight.ToFloat32();
            var names = layer == "0" ? parts.Split(' ').Where(p => parameter.Contains(p[..^5], StringComparison.Ordinal)) : [];
            foreach (var name in names)
            {
                var (a, b) = (tensors[$"model.layers.0.{block}.switch_mlp.{name}.lora_a"],
                    tensors[$"model.layers.0.{block}.switch_mlp.{name}.lora_b"]);
                Add(expected, weight.Dims.AsSpan(), isOutByIn, a, b, name == "up_proj" ? (int)b.Dims[1] : 0);
            }

            Near.Within(expected, after[path].Content.ToFloat32(), 1e-5, path);
        }

        var changed = ModuleCatalogue.LinearModules(source.Graph).Zip(ModuleCatalogue.LinearModules(merged.Graph))
            .Where(static m => !m.First.Weight.Initializer!.ToFloat32().SequenceEqual(m.Second.Weight.Initializer!.ToFloat32()))
            .Select(static m => m.First.Name);
        Assert.Equal(["model.layers.0.mlp.gate", "model.layers.1.self_attn.q_proj"], changed);

        Tensor Drawn(params long[] dims) => Tensor.Of<float>(
            [.. Enumerable.Range(0, (int)dims.Aggregate(static (x, y) => x * y)).Select(_ => random.NextSingle() - 0.5f)], dims);

        static void Add(float[] weight, ReadOnlySpan<long> dims, bool isOutByIn, Tensor a, Tensor b, int first)
        {
            var (down, up, rank, inputs, outputs) = (a.ToFloat32(), b.ToFloat32(), Rank, (int)a.Dims[2], (int)b.Dims[1]);
            for (var i = 0; i < 4 * outputs * inputs; i++)
            {
                var (expert, o, x) = (i / inputs / outputs, i / inputs % outputs, i % inputs);
                var sum = Enumerable.Range(0, rank).Sum(
                    k => up[(((expert * outputs) + o) * rank) + k] * down[(((expert * rank) + k) * inputs) + x]);
                var at = isOutByIn
                    ? (((expert * dims[1]) + first + o) * dims[2]) + x
                    : (((expert * dims[1]) + x) * dims[2]) + first + o;
                weight[at] += (float)(Scale * sum);
            }
        }

        static SortedDictionary<string, (Tensor Content, bool IsOutByIn)> ByPath(Onnx.Graph graph) => new(
            ExpertCatalogue.Weights(graph).ToDictionary(
                static w => w.Path, static w => (w.Weight.Initializer!, w.IsOutByIn), StringComparer.Ordinal),
            StringComparer.Ordinal);
    }

    [Theory]
    [InlineData("experts.up_proj.lora_a", "of experts' adapters those of switch_mlp are read")]
    [InlineData("mlp.switch_mlp.up_proj.lora_a", "experts have [experts, r, in]")]
    public void LoadWeights_OfOtherExperts_SaysThatTheyAreNotRead(string name, string expected)
    {
        using var folder = new TemporaryFolder();
        Write(folder, Lora, hasMagnitudes: false, (name, Tensor.Of<float>(new float[8], [2, 2, 2])));

        var error = Assert.Throws<ConfigException>(() => AdapterFolder.LoadWeights(folder.Path));

        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }

    private static void Write(TemporaryFolder folder, string json, bool hasMagnitudes, params (string, Tensor)[] more)
    {
        File.WriteAllText(folder["adapter_config.json"], json);
        List<(string, Tensor)> tensors =
        [
            ("linear.lora_a", Tensor.Of<float>([1, 2, 3, 4], [2, 2])),
            ("linear.lora_b", Tensor.Of<float>([1, 2, 3, 4, 5, 6, 7, 8], [2, 4])),
            .. more,
        ];
        if (hasMagnitudes)
            tensors.Add(("linear.m", Tensor.Vector(1f, 2, 3, 4)));
        SafetensorsFile.Save(folder["adapters.safetensors"], tensors);
    }
}
