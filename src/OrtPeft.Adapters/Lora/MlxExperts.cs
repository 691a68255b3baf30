using System.Text.Json.Nodes;
using OrtPeft.Adapters.Modules;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Decoders;
using OrtPeft.Tensors;

namespace OrtPeft.Adapters.Lora;

/// <summary>
/// Adapters of experts in mlx-lm's files, <c>lora_a</c> [experts, r, in] and <c>lora_b</c> [experts, out, r] of each of
/// <c>switch_mlp</c>'s layers, as HF PEFT's of the parameters <c>experts.gate_up_proj</c> and <c>experts.down_proj</c>.
/// Gate and up, which are one parameter there, become one adapter of twice the rank: A one above the other, B block by block.
/// </summary>
/// <seealso href="https://github.com/ml-explore/mlx-lm/blob/main/mlx_lm/tuner/lora.py">LoRASwitchLinear.</seealso>
internal sealed class MlxExperts
{
    private static readonly string Down = DecoderFamilies.Last(DecoderFamilies.Gated.MlpOutput);

    private static readonly (string Mlx, string Hf)[] Containers =
        [(".block_sparse_moe.switch_mlp", ".mlp.experts"), (".switch_mlp", ".experts")];

    private readonly IReadOnlyDictionary<string, Tensor> _weights;
    private readonly string _file;
    private readonly IReadOnlyList<string> _modules;

    /// <summary>Looks at a file's tensors.</summary>
    /// <param name="weights">The tensors, under mlx-lm's names.</param>
    /// <param name="file">Named in messages.</param>
    public MlxExperts(IReadOnlyDictionary<string, Tensor> weights, string file)
    {
        (_weights, _file) = (weights, file);
        _modules = [.. weights.Keys.Select(ModuleOf).OfType<string>().Distinct()];
    }

    /// <summary>The parameters that are adapted, by HF's paths.</summary>
    public IEnumerable<string> Parameters => _modules.SelectMany(static m => new[] { (m, TargetParameters.Fused), (m, Down) })
        .Where(p => PartsOf(p.Item2).Any(part => Has(p.m, part)))
        .Select(static p => $"{HfOf(p.m)}.{p.Item2}");

    /// <summary>The names that HF PEFT gives modules which stand beside experts, as transformers 5 calls them.</summary>
    public string Beside(string module)
    {
        const string Old = ".block_sparse_moe.";
        return _modules.Any(static m => m.Contains(Old, StringComparison.Ordinal))
            ? module.Replace(Old, ".mlp.", StringComparison.Ordinal)
            : module;
    }

    /// <summary>Whether a tensor is one of these.</summary>
    public static bool Is(string name) => ModuleOf(name) is not null;

    /// <summary>Fields of a configuration for gate and up together.</summary>
    public static void Describe(IDictionary<string, JsonNode?> fields, int rank, double alpha)
    {
        var pattern = $@".*\.{TargetParameters.Fused}";
        fields["rank_pattern"] = new JsonObject { [pattern] = 2 * rank };
        fields["alpha_pattern"] = new JsonObject { [pattern] = 2 * alpha };
    }

    /// <summary>The tensors under HF PEFT's names and in its layout.</summary>
    /// <exception cref="ConfigException">A pair is not whole, or of other axes.</exception>
    public IEnumerable<(string Name, Tensor Content)> Translated()
    {
        foreach (var module in _modules)
        {
            var adapted = new[] { TargetParameters.Fused, Down }.Where(p => PartsOf(p).Any(part => Has(module, part))).ToList();
            foreach (var (index, parameter) in adapted.Index())
            {
                // Of several parameters of a module, the last one's adapter has the module's name.
                var path = HfOf(module) + (index < adapted.Count - 1 ? ".base_layer" : "");
                var pairs = PartsOf(parameter).Select(part => Has(module, part) ? Pair(module, part) : null).ToList();
                var known = pairs.OfType<Factors>().First();
                if (pairs.OfType<Factors>().Any(p => p with { A = known.A, B = known.B } != known))
                    throw ConfigException.At(_file, $"the adapters in {module} of {string.Join(" and ", PartsOf(parameter))} differ in size.");
                yield return (HfName.Of(path, HfName.LoraA), known.Down(pairs));
                yield return (HfName.Of(path, HfName.LoraB), known.Up(pairs));
            }
        }
    }

    private bool Has(string module, string part) => _weights.ContainsKey($"{module}.{part}.lora_a");

    private Factors Pair(string module, string part)
    {
        var (a, b) = (_weights[$"{module}.{part}.lora_a"], _weights.GetValueOrDefault($"{module}.{part}.lora_b"));
        if (b is null || a.Dims is not [var experts, var rank, var inputs] || b.Dims is not [var also, var outputs, var r]
            || also != experts || r != rank)
        {
            throw ConfigException.At(
                _file, $"'{module}.{part}' has lora_a {a.Shape} and lora_b {b?.Shape.ToString() ?? "none"}; experts have "
                + "[experts, r, in] and [experts, out, r].");
        }

        return new Factors(a.ToFloat32(), b.ToFloat32(), (int)experts, (int)rank, (int)inputs, (int)outputs);
    }

    private static IReadOnlyList<string> PartsOf(string parameter) => parameter == TargetParameters.Fused
        ? [.. DecoderFamilies.Gated.MlpInputs.Select(DecoderFamilies.Last)]
        : [parameter];

    private static string HfOf(string module) => Containers.Where(c => module.EndsWith(c.Mlx, StringComparison.Ordinal))
        .Select(c => module[..^c.Mlx.Length] + c.Hf).First();

    /// <summary>The module that holds the layer that a tensor is of, such as <c>model.layers.0.mlp.switch_mlp</c>;
    /// null where that holds no experts.</summary>
    private static string? ModuleOf(string name)
    {
        var end = name.IndexOf(".switch_mlp.", StringComparison.Ordinal);
        return end < 0 ? null : name[..(end + ".switch_mlp".Length)];
    }

    /// <summary>A and B of one layer of all experts.</summary>
    private sealed record Factors(float[] A, float[] B, int Experts, int Rank, int Inputs, int Outputs)
    {
        /// <summary>[experts · ranks, in]: of each expert, the parts one after the other.</summary>
        public Tensor Down(IReadOnlyList<Factors?> parts)
        {
            var result = new float[Experts * parts.Count * Rank * Inputs];
            foreach (var (i, part) in parts.Index().Where(static p => p.Item is not null))
            {
                for (var expert = 0; expert < Experts; expert++)
                {
                    part!.A.AsSpan(expert * Rank * Inputs, Rank * Inputs)
                        .CopyTo(result.AsSpan(((expert * parts.Count) + i) * Rank * Inputs));
                }
            }

            return Tensor.Of<float>(result, [Experts * parts.Count * Rank, Inputs]);
        }

        /// <summary>[outputs of the parts, ranks · experts], the experts of a rank side by side.</summary>
        public Tensor Up(IReadOnlyList<Factors?> parts)
        {
            var width = parts.Count * Rank * Experts;
            var result = new float[parts.Count * Outputs * width];
            foreach (var (i, part) in parts.Index().Where(static p => p.Item is not null))
            {
                for (var at = 0; at < part!.B.Length; at++)
                {
                    var (expert, output, k) = (at / Rank / Outputs, at / Rank % Outputs, at % Rank);
                    result[(((i * Outputs) + output) * width) + (((i * Rank) + k) * Experts) + expert] = part.B[at];
                }
            }

            return Tensor.Of<float>(result, [parts.Count * Outputs, width]);
        }
    }
}
