using OrtPeft.Adapters.Tests.Llama;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Serialization;
using OrtPeft.Tensors;
using OrtPeft.Tensors.Numerics;
using OrtPeft.Testing;

namespace OrtPeft.Adapters.Tests.PromptLearning;

/// <summary>Decoders with a cache, of several families and exporters, and padded batches for them.</summary>
internal static class Decoder
{
    private const int Rows = 2;
    private const int Columns = 6;

    private static readonly string[] Graphs =
        ["hf442_g2l_past_op14.onnx", "hf442_g2l_past_op17.onnx", "ortstyle_g2l_past_op11.onnx"];

    /// <summary>Where padding stands in the first row: positions that do not count.</summary>
    private static readonly Dictionary<string, int[]> Paddings = new()
    {
        ["plain"] = [],
        ["right-padded"] = [4, 5],
        ["left-padded"] = [0, 1],
    };

    public static TheoryData<string, string> Cases
    {
        get
        {
            var cases = new TheoryData<string, string>();
            foreach (var model in Graphs.Concat(SmallLlama.Configs.Keys).Append(Gpt2.Imported))
                foreach (var padding in Paddings.Keys)
                    cases.Add(model, padding);
            return cases;
        }
    }

    public static Model Open(string name) => name switch
    {
        Gpt2.Imported => Gpt2.Open(name),
        _ when SmallLlama.Configs.ContainsKey(name) => SmallLlama.Model(name),
        _ => OnnxFile.Load(Fixtures.Graph(name)),
    };

    /// <summary>Tokens with a mask; positions count from 0 in every row.</summary>
    public static Dictionary<string, Tensor> Batch(string padding) => new()
    {
        ["input_ids"] = Tensor.Of<long>([1, 7, 7, 19, 3, 2, 9, 4, 0, 12, 18, 5], [Rows, Columns]),
        ["attention_mask"] = Tensor.Of<long>(
            [.. Enumerable.Range(0, Rows * Columns).Select(i => Paddings[padding].Contains(i) ? 0L : 1L)],
            [Rows, Columns]),
    };

    /// <summary>Numbers for an adapter's parameters, away from 0.</summary>
    public static Tensor Random(string name, params ReadOnlySpan<long> dims)
    {
        var random = new SplitMix64(4, name);
        var values = new float[Product(dims)];
        foreach (ref var value in values.AsSpan())
            value = random.NextUniform(-1, 1);
        return Tensor.Of<float>(values, dims);
    }

    /// <summary>More columns before those of a matrix, the same in each row.</summary>
    public static Tensor Before(Tensor matrix, params IReadOnlyList<long> columns)
    {
        var rows = matrix.ToInt64().Chunk((int)matrix.Dims[1]);
        return Tensor.Of<long>(
            [.. rows.SelectMany(row => columns.Concat(row))], [matrix.Dims[0], matrix.Dims[1] + columns.Count]);
    }

    /// <summary>The logits of one run, whatever the graph wants to be fed.</summary>
    public static Tensor Logits(Model model, IReadOnlyDictionary<string, Tensor> feeds) =>
        OnnxRun.Of(model, Feeds.Of(model.Graph, feeds))["logits"];

    private static long Product(ReadOnlySpan<long> dims)
    {
        var product = 1L;
        foreach (var dim in dims)
            product *= dim;
        return product;
    }
}
