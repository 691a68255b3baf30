using OrtPeft.Adapters.Modules;
using OrtPeft.Onnx;

namespace OrtPeft.Adapters.Loha;

/// <summary>The four factors of one layer.</summary>
/// <param name="W1A">[out, r].</param>
/// <param name="W1B">[r, in].</param>
/// <param name="W2A">[out, r].</param>
/// <param name="W2B">[r, in].</param>
internal sealed record LohaFactors(
    AdapterParameter W1A, AdapterParameter W1B, AdapterParameter W2A, AdapterParameter W2B)
{
    /// <summary>The factors' names by HF PEFT, in the order of this record.</summary>
    public static IReadOnlyList<string> Names { get; } = ["hada_w1_a", "hada_w1_b", "hada_w2_a", "hada_w2_b"];

    /// <summary>The factors in order.</summary>
    public IReadOnlyList<AdapterParameter> All => [W1A, W1B, W2A, W2B];

    /// <summary>A factor's name on disk.</summary>
    public static string NameOf(LinearModule module, string factor) => HfName.Of(module.Name, factor);

    /// <summary>Fresh factors as initializers, as Kaiming; the last zero on request.</summary>
    public static LohaFactors AddTo(Graph graph, LinearModule module, LohaConfig config, long seed)
    {
        var r = config.RankOf(module.Name);
        return new LohaFactors(
            Add(Names[0], module.OutFeatures, r, isZero: false),
            Add(Names[1], r, module.InFeatures, isZero: false),
            Add(Names[2], module.OutFeatures, r, isZero: false),
            Add(Names[3], r, module.InFeatures, isZero: config.InitWeights));

        AdapterParameter Add(string factor, long rows, long columns, bool isZero)
        {
            var name = NameOf(module, factor);
            return new AdapterParameter(name, graph.AddInitializer(graph.FreshName(name), isZero
                ? InitialWeights.Zeros(rows, columns)
                : InitialWeights.Kaiming(seed, name, rows, columns)));
        }
    }
}
