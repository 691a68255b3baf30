using System.Text.Json;
using System.Text.Json.Nodes;
using OrtPeft.Adapters.Configuration;
using OrtPeft.Adapters.LinearAlgebra;
using OrtPeft.Adapters.Modules;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Decoders;
using OrtPeft.Tensors;
using OrtPeft.Tensors.Safetensors;

namespace OrtPeft.Adapters.Lora;

/// <summary>
/// mlx-lm's adapters: y = W·x + scale · (x·a)·b, with <c>lora_a</c> [in, r] and <c>lora_b</c> [r, out], and DoRA's
/// magnitudes <c>m</c> [out]. The configuration names the last layers by their count; the file's tensors say which they
/// are.
/// </summary>
/// <seealso href="https://github.com/ml-explore/mlx-lm/blob/main/mlx_lm/tuner/lora.py">mlx-lm's layers.</seealso>
internal static class MlxLayout
{
    /// <summary>The weights' file name.</summary>
    public const string WeightsFile = "adapters.safetensors";

    private const string Parameters = "lora_parameters";
    private const string Kind = "fine_tune_type";
    private const string PartA = ".lora_a";

    /// <summary>mlx-lm's layer that chooses experts; HF's models have a bare parameter.</summary>
    private const string Router = "gate";

    /// <summary>Whether a file has this layout.</summary>
    public static bool Is(JsonObject json) =>
        json["peft_type"] is null && (json[Parameters] is JsonObject || json[Kind] is JsonValue);

    /// <summary>Whether a configuration file is there and has this layout.</summary>
    public static bool IsIn(string file)
    {
        try
        {
            return File.Exists(file) && ConfigJson.Read(file) is { } json && Is(json);
        }
        catch (JsonException)
        {
            return false; // who reads the configuration says so
        }
    }

    /// <summary>HF PEFT's fields of the same adapter.</summary>
    /// <param name="json">mlx-lm's.</param>
    /// <param name="file">The configuration file; the weights lie beside it.</param>
    /// <exception cref="ConfigException">It is no LoRA, or one whose scale is not told.</exception>
    public static JsonObject Translated(JsonObject json, string file)
    {
        var fields = new ConfigFields(json, file);
        var kind = fields.Text(Kind, "lora");
        if (kind is not ("lora" or "dora"))
            throw ConfigException.At(file, $"{Kind} is '{kind}'; of mlx-lm's, lora and dora are read.");
        if (json[Parameters] is not JsonObject inner)
            throw ConfigException.At(file, $"{Parameters} is missing; it must have rank and scale.");
        if (inner["alpha"] is not null)
            throw ConfigException.At(
                file,
                $"{Parameters} has alpha, which old versions of mlx-lm scaled by and new ones pass over; fuse the adapter in "
                + "mlx-lm, or remove alpha where a new version trained it.");
        var given = new ConfigFields(inner, file);
        given.RefuseNull("rank", "scale");
        var rank = given.Integer("rank", 0);
        var scale = given.Number("scale", double.NaN);
        if (rank < 1 || !double.IsFinite(scale))
            throw ConfigException.At(file, $"{Parameters} must have a rank of 1 or more and a scale.");
        var (weights, experts) = WeightsBeside(file);
        var modules = weights.Keys.Where(static n => n.EndsWith(PartA, StringComparison.Ordinal) && !MlxExperts.Is(n))
            .Select(n => experts.Beside(n[..^PartA.Length])).ToLookup(static m => DecoderFamilies.Last(m) == Router);
        string[] parameters = [.. experts.Parameters, .. modules[true].Select(static m => $"{m}.weight")];
        var translated = new JsonObject
        {
            ["peft_type"] = "LORA",
            ["task_type"] = "CAUSAL_LM",
            ["base_model_name_or_path"] = (json["model"] as JsonValue)?.TryGetValue<string>(out var name) == true ? name : null,
            ["r"] = rank,
            ["lora_alpha"] = scale * rank,
            ["lora_dropout"] = parameters.Length > 0 ? 0 : given.Number("dropout", 0), // parameters have none in HF PEFT
            ["use_dora"] = kind == "dora",
            ["target_modules"] = Names(modules[false]),
        };
        if (parameters.Length == 0)
            return translated;
        translated[TargetParameters.Field] = Names(parameters);
        MlxExperts.Describe(translated, rank, scale * rank);
        return translated;
    }

    /// <summary>The tensors under HF PEFT's names and in its layout.</summary>
    /// <exception cref="ConfigException">One is not of a linear layer or an embedding.</exception>
    public static IReadOnlyDictionary<string, Tensor> Translated(IReadOnlyDictionary<string, Tensor> weights, string file)
    {
        var experts = new MlxExperts(weights, file);
        var translated = experts.Translated().ToDictionary(static t => t.Name, static t => t.Content, StringComparer.Ordinal);
        foreach (var (name, tensor) in weights.Where(static w => !MlxExperts.Is(w.Key)))
        {
            var dot = Math.Max(0, name.LastIndexOf('.'));
            var (module, part) = (experts.Beside(name[..dot]), name[(dot + 1)..]);
            var isEmbedding = HfName.EmbeddingLayers.Contains(module.Split('.')[^1]) && module.EndsWith("tokens", StringComparison.Ordinal);
            var (own, axes) = (part, isEmbedding) switch
            {
                ("lora_a", false) => (HfName.LoraA, 2),
                ("lora_b", false) => (HfName.LoraB, 2),
                ("lora_a", true) => (HfName.LoraEmbeddingA, 2),
                ("lora_b", true) => (HfName.LoraEmbeddingB, 2),
                ("m", _) => ("lora_magnitude_vector", 1),
                _ => throw ConfigException.At(file, $"'{name}' is none of mlx-lm's lora_a, lora_b and m."),
            };
            if (tensor.Dims.Length != axes)
                throw ConfigException.At(
                    file, $"'{name}' is {tensor.Shape}; a layer's has {axes} axes, and of experts' adapters those of "
                    + "switch_mlp are read.");
            translated[HfName.Of(module, own)] = axes == 1 ? tensor : Transposed(tensor);
        }

        return translated;
    }

    private static (IReadOnlyDictionary<string, Tensor> Weights, MlxExperts Experts) WeightsBeside(string config)
    {
        var file = Path.Combine(Path.GetDirectoryName(Path.GetFullPath(config))!, WeightsFile);
        if (!File.Exists(file))
            throw ConfigException.OfFile(file, "does not exist; mlx-lm's adapter_config.json goes with it.");
        var weights = SafetensorsFile.Open(file).Tensors;
        return (weights, new MlxExperts(weights, file));
    }

    private static JsonArray Names(IEnumerable<string> names) => new([.. names.Select(static m => (JsonNode)m)]);

    private static Tensor Transposed(Tensor matrix) => Matrix
        .Of(checked((int)matrix.Dims[0]), checked((int)matrix.Dims[1]), matrix.ToFloat32()).Transposed().ToTensor();
}
