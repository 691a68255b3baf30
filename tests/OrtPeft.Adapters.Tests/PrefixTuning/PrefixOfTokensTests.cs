using OrtPeft.Adapters.Decoders;
using OrtPeft.Adapters.PrefixTuning;
using OrtPeft.Adapters.Tests.PromptLearning;
using OrtPeft.Models;
using OrtPeft.Onnx;
using OrtPeft.Tensors;
using OrtPeft.Testing;

namespace OrtPeft.Adapters.Tests.PrefixTuning;

/// <summary>
/// A prefix of what real tokens make, where no cache could hold it and where it falls out of a window: what heads the keys
/// have is to be read off the way from their projection.
/// </summary>
public sealed class PrefixOfTokensTests
{
    private static readonly long[] Before = [11, 3, 8];

    /// <summary>
    /// The keys and values that the base itself makes of three tokens, as a prefix, must do what these tokens do: with groups
    /// of heads, normalised keys and one projection for queries, keys and values.
    /// </summary>
    [Theory]
    [InlineData("exports/dynamo_gemma3.onnx", 2, 16)]
    [InlineData("exports/torchscript_falcon.onnx", 2, 8)]
    [InlineData("exports/dynamo_llama.onnx", 2, 8)]
    [InlineData("exports/dynamo_starcoder2.onnx", 2, 8)]
    [InlineData("families/gemma3", 2, 16)]
    [InlineData("families/mistral", 2, 8)]
    [InlineData("families/qwen2_layer_types", 2, 8)]
    [InlineData("genai/qwen2-fp32", 1, 16)]
    public void Inject_OfTheKeysOfTokens_AnswersAsTheBaseBehindThem(string file, int heads, int width)
    {
        var model = BaseModel.Of(ModelSource.Open(Path.Combine(Fixtures.Folder, file)).Model).Canonical;
        var batch = Decoder.Batch("plain");
        var longer = new Dictionary<string, Tensor>
        {
            ["input_ids"] = Decoder.Before(batch["input_ids"], Before),
            ["attention_mask"] = Decoder.Before(batch["attention_mask"], 1, 1, 1),
        };
        var table = KeysAndValues(model, longer, heads, width);
        var adapted = PeftModel.Create(model, new PrefixTuningConfig { NumVirtualTokens = Before.Length });
        Assert.Equal(table.Dims.AsEnumerable(), adapted.GetWeights()["prompt_embeddings"].Dims);

        adapted.SetWeights(new Dictionary<string, Tensor> { ["prompt_embeddings"] = table });

        var expected = Behind(Decoder.Logits(model, longer));
        Near.Absolute(expected, Decoder.Logits(adapted.Model, batch), 3e-5, "logits");
    }

    /// <summary>The first tokens' keys and values of each layer, [tokens, layers · 2 · heads · width].</summary>
    private static Tensor KeysAndValues(Model model, Dictionary<string, Tensor> feeds, int heads, int width)
    {
        var copy = model.Clone();
        var layers = AttentionLayer.All(copy.Graph);
        var factorsOf = layers.Select(static l => l.KeyFactors().Select(static n => n.Inputs[1]!).ToList()).ToList();
        Assert.All(layers.SelectMany(static l => l.KeyFactors()), static n => Assert.Equal("Mul", n.OpType));
        foreach (var value in layers.SelectMany(static l => (Value[])[l.Keys, l.Values]).Concat(factorsOf.SelectMany(static f => f))
            .Distinct().Where(static v => !v.IsGraphOutput && v.Constant is null))
            copy.Graph.AddOutput(value);
        var made = OnnxRun.Of(copy, Feeds.Of(copy.Graph, feeds));
        var factors = factorsOf.Select(all => all.Aggregate(
            1f, (product, f) => product * (f.Constant ?? made[f.Name]).ToFloat32()[0])).ToList();
        var table = new List<float>();
        for (var token = 0; token < Before.Length; token++)
        {
            foreach (var (i, layer) in layers.Index())
            {
                var (keys, values) = (made[layer.Keys.Name], made[layer.Values.Name]);
                var (total, all) = ((int)keys.Dims[^1], (int)HeadLayout.CountOf(layer.Keys)!.Value);
                for (var head = 0; head < heads; head++)
                    for (var x = 0; x < width; x++)
                        table.Add(keys.ToFloat32()[(((head * all / heads * width) + x) * total) + token] / factors[i]);
                for (var head = 0; head < heads; head++)
                    for (var x = 0; x < width; x++)
                        table.Add(values.ToFloat32()[(((head * all / heads * total) + token) * width) + x]);
            }
        }

        return Tensor.Of<float>([.. table], [Before.Length, table.Count / Before.Length]);
    }

    /// <summary>The logits after the tokens before.</summary>
    private static Tensor Behind(Tensor logits)
    {
        var (rows, length, width) = ((int)logits.Dims[0], (int)logits.Dims[1], (int)logits.Dims[2]);
        var kept = logits.ToFloat32().Chunk(length * width).SelectMany(row => row.Skip(Before.Length * width));
        return Tensor.Of<float>([.. kept], [rows, length - Before.Length, width]);
    }
}
