using OrtPeft.Adapters.Decoders;
using OrtPeft.Adapters.PrefixTuning;
using OrtPeft.Adapters.Tests.PromptLearning;
using OrtPeft.Models;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Tensors;
using OrtPeft.Testing;

namespace OrtPeft.Adapters.Tests.PrefixTuning;

/// <summary>
/// A prefix of what real tokens make, where no cache could hold it and where it falls out of a window: what heads the keys
/// have is to be read off the way from their projection.
/// </summary>
public sealed class PrefixOfTokensTests
{
    private const int Size = 4;

    private static readonly long[] Before = [11, 3, 8];

    private static readonly Dictionary<string, Func<GraphBuilder, Value, Value, Value>> WindowForms = new()
    {
        ["k + 4 > q"] = static (g, q, k) => g.Op("Greater", g.Add(k, Size), q),
        ["4 + k > q"] = static (g, q, k) => g.Op("Greater", g.Add(g.Int64Scalar(Size), k), q),
        ["k > q + -4"] = static (g, q, k) => g.Op("Greater", k, g.Add(q, -Size)),
        ["k > -4 + q"] = static (g, q, k) => g.Op("Greater", k, g.Add(g.Int64Scalar(-Size), q)),
        ["k >= q - 3"] = static (g, q, k) => g.Op("GreaterOrEqual", k, g.Sub(q, g.Int64Scalar(Size - 1))),
        ["q - 4 < k"] = static (g, q, k) => g.Op("Less", g.Sub(q, g.Int64Scalar(Size)), k),
        ["q - k < 4"] = static (g, q, k) => g.Op("Less", g.Sub(q, k), g.Int64Scalar(Size)),
        ["k - q > -4"] = static (g, q, k) => g.Op("Greater", g.Sub(k, q), g.Int64Scalar(-Size)),
        ["-(q - k) > -4"] = static (g, q, k) => g.Op("Greater", g.Op("Neg", g.Sub(q, k)), g.Int64Scalar(-Size)),
        ["not k <= q - 4"] = static (g, q, k) => g.Op("Not", g.Op("LessOrEqual", k, g.Sub(q, g.Int64Scalar(Size)))),
        ["not q - k >= 4"] = static (g, q, k) => g.Op("Not", g.Op("GreaterOrEqual", g.Sub(q, k), g.Int64Scalar(Size))),
        ["floats"] = static (g, q, k) =>
            g.Op("Greater", g.Cast(k, ElementType.Float), g.Cast(g.Sub(q, g.Int64Scalar(Size)), ElementType.Float)),
        ["moved before the axis"] = static (g, q, k) =>
            g.Op("Greater", k, g.Reshape(g.Sub(g.Squeeze(q, 1), g.Int64Scalar(Size)), -1, 1)),
        ["both places moved"] = static (g, q, k) =>
            g.Op("Greater", g.Add(k, 2.0), g.Reshape(g.Add(g.Squeeze(q, 1), 2 - Size), -1, 1)),
        ["expanded"] = static (g, q, k) =>
            g.Op("Greater", g.Op("Expand", k, Square(g, q, k)), g.Op("Expand", g.Sub(q, g.Int64Scalar(Size)), Square(g, q, k))),
        ["upper triangle"] = static (g, q, k) => g.Cast(Triangle(g, q, k, upper: 1, 1 - Size), ElementType.Bool),
        ["not lower triangle"] = static (g, q, k) =>
            g.Op("Not", g.Cast(Triangle(g, q, k, upper: 0, -Size), ElementType.Bool)),
        ["lower triangle, turned"] = static (g, q, k) =>
            g.Cast(g.Transpose(Triangle(g, q, k, upper: 0, Size - 1, isTurned: true), 1, 0), ElementType.Bool),
        ["upper triangle, turned"] = static (g, q, k) =>
            g.Op("Not", g.Cast(g.Transpose(Triangle(g, q, k, upper: 1, Size, isTurned: true), 1, 0), ElementType.Bool)),
        ["summed up"] = static (g, q, k) => g.Op(
            "Greater", g.Sub(SummedUp(g, k, 1), g.Int64Scalar(1)), g.Sub(q, g.Int64Scalar(Size))),
        ["in packed rows"] = static (g, q, k) =>
            g.Op("And", InOneRow(g, q, k), g.Op("Greater", k, g.Sub(q, g.Int64Scalar(Size)))),
        ["constant"] = static (g, q, k) => Buffer(g, q, k, static apart => apart is >= 0 and < Size),
        ["constant, near alone"] = static (g, q, k) => Buffer(g, q, k, static apart => apart < Size),
        ["causal triangle"] = static (g, q, k) =>
            g.Op("Not", g.Cast(Triangle(g, q, k, upper: 1, 1), ElementType.Bool)),
        ["causal constant"] = static (g, q, k) => Buffer(g, q, k, static apart => apart >= 0),
    };

    public static TheoryData<string> Forms => [.. WindowForms.Keys.Where(static f => !f.StartsWith("causal", StringComparison.Ordinal))];

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
        AssertAnswersAsBehindTokens(BaseModel.Of(ModelSource.Open(Path.Combine(Fixtures.Folder, file)).Model).Canonical, heads, width);
    }

    /// <summary>A window of 4 keys, as exporters and model code write it: what is seen or what is hidden, the size on either
    /// side, before or after places get their axis, in integers or floats, cut to triangles or kept as a constant.</summary>
    [Theory]
    [MemberData(nameof(Forms))]
    public void Inject_BehindAWindowOfAnyForm_AnswersAsTheBaseBehindTokens(string form)
    {
        var model = BaseModel.Of(ModelSource.Open(Path.Combine(Fixtures.Folder, "families/mistral")).Model).Canonical;
        var asBuilt = Decoder.Logits(model, Decoder.Batch("plain"));
        foreach (var isNear in model.Graph.Nodes.Where(static n => n.Is("Greater")).ToList())
        {
            var (keys, queries) = (isNear.Inputs[0]!, isNear.Inputs[1]!.Producer!.Inputs[0]!);
            var g = GraphBuilder.Over(model);
            g.Before = isNear;
            model.Graph.ReplaceAllUsesWith(isNear.Output, WindowForms[form](g, queries, keys));
            model.Graph.Remove(isNear);
        }

        Near.Absolute(asBuilt, Decoder.Logits(model, Decoder.Batch("plain")), 0, "logits");

        AssertAnswersAsBehindTokens(model, 2, 8);
    }

    /// <summary>What is no window hides nothing of a prefix.</summary>
    [Theory]
    [InlineData("causal triangle")]
    [InlineData("causal constant")]
    public void Inject_BehindACausalMaskOfAnyForm_AnswersAsTheBaseBehindTokens(string form)
    {
        var model = BaseModel.Of(ModelSource.Open(Path.Combine(Fixtures.Folder, "families/llama")).Model).Canonical;
        foreach (var isNotLater in model.Graph.Nodes.Where(static n => n.Is("LessOrEqual")).ToList())
        {
            var g = GraphBuilder.Over(model);
            g.Before = isNotLater;
            var mask = WindowForms[form](g, isNotLater.Inputs[1]!, isNotLater.Inputs[0]!);
            model.Graph.ReplaceAllUsesWith(isNotLater.Output, mask);
            model.Graph.Remove(isNotLater);
        }

        AssertAnswersAsBehindTokens(model, 2, 8);
    }

    /// <summary>What a query sees depends on where its chunk begins, or nobody knows: a prefix would stay visible.</summary>
    [Theory]
    [InlineData("k / 4 = q / 4", "Equal")]
    [InlineData("|k / 4 - q / 4| < 1", "Abs")]
    [InlineData("k / 4 >= q / 4", "GreaterOrEqual")]
    [InlineData("(q - k) mod 4 = 0", "Mod")]
    [InlineData("k > q - what the mask says", "LessOrEqual")]
    [InlineData("diagonal by the mask", "LessOrEqual")]
    [InlineData("constant of chunks", "constant")]
    [InlineData("triangle and its transpose", "Trilu")]
    [InlineData("transpose of a triangle and itself", "Trilu")]
    [InlineData("k > q + 0 + 0 + …", "Greater")]
    [InlineData("k > q / 1 / 1 / …", "Greater")]
    [InlineData("k > differences of differences", "Greater")]
    [InlineData("k > whole differences of differences", "Div")]
    [InlineData("k > sums of sums", "Greater")]
    public void Inject_BehindAMaskOfUnknownForm_IsRefusedByName(string form, string named)
    {
        var model = BaseModel.Of(ModelSource.Open(Path.Combine(Fixtures.Folder, "families/mistral")).Model).Canonical;
        var isNear = model.Graph.Nodes.First(static n => n.Is("Greater"));
        var (keys, queries) = (isNear.Inputs[0]!, isNear.Inputs[1]!.Producer!.Inputs[0]!);
        var g = GraphBuilder.Over(model);
        g.Before = isNear;
        var atRunTime = g.Op("ReduceMax", model.Graph.Inputs.First(static i => i.Name == "attention_mask"));
        var made = form switch
        {
            "k / 4 = q / 4" => g.Op("Equal", Chunk(g, keys), Chunk(g, queries)),
            "|k / 4 - q / 4| < 1" => g.Op("Less", g.Op("Abs", g.Sub(Chunk(g, keys), Chunk(g, queries))), g.Int64Scalar(1)),
            "k / 4 >= q / 4" => g.Op("GreaterOrEqual", Chunk(g, keys), Chunk(g, queries)),
            "(q - k) mod 4 = 0" => g.Op("Equal", g.Op("Mod", g.Sub(queries, keys), g.Int64Scalar(Size)), g.Int64Scalar(0)),
            "k > q - what the mask says" => g.Op("Greater", keys, g.Sub(queries, atRunTime)),
            "diagonal by the mask" => g.Cast(g.Op(
                "Trilu", g.Op("Expand", g.Int64Scalar(1), Square(g, queries, keys)), g.Squeeze(atRunTime, 0, 1)), ElementType.Bool),
            "triangle and its transpose" => BothWays(g, queries, keys, isTurnedFirst: false),
            "transpose of a triangle and itself" => BothWays(g, queries, keys, isTurnedFirst: true),
            "k > q + 0 + 0 + …" => g.Op("Greater", keys, Nested(queries, 10_000, q => g.Op("Add", q, g.Int64Scalar(0)))),
            "k > q / 1 / 1 / …" => g.Op("Greater", keys, Nested(queries, 10_000, q => g.Op("Div", q, g.Int64Scalar(1)))),
            "k > differences of differences" => g.Op("Greater", keys, Nested(queries, 40, q => g.Sub(q, g.Sub(q, keys)))),
            "k > whole differences of differences" =>
                g.Op("Greater", keys, Chunk(g, Nested(queries, 40, q => g.Sub(q, g.Sub(q, keys))))),
            "k > sums of sums" => g.Op("Greater", keys, Nested(queries, 40, q => g.Add(q, q))),
            _ => Chunks(g, queries, keys),
        };
        model.Graph.ReplaceAllUsesWith(isNear.Output, made);

        var refusal = Assert.Throws<ConfigException>(
            () => PeftModel.Create(model, new PrefixTuningConfig { NumVirtualTokens = 3 }));

        Assert.Contains(named, refusal.Message, StringComparison.Ordinal);
        Assert.Contains("choose prompt-tuning", refusal.Message, StringComparison.Ordinal);
    }

    /// <summary>The places that are fed turn the rotary embeddings, which move on by the prefix, and make the mask, which does
    /// not.</summary>
    [Theory]
    [InlineData("families/llama")]
    [InlineData("families/mistral")]
    public void Inject_WhereFedPlacesMakeTheMask_AnswersAsTheBaseBehindTokens(string family)
    {
        var model = BaseModel.Of(ModelSource.Open(Path.Combine(Fixtures.Folder, family)).Model).Canonical;
        var places = model.Graph.Inputs.First(static i => i.Name == "position_ids");
        foreach (var node in model.Graph.Nodes.Where(static n => n.Is("LessOrEqual") || n.Is("Greater")).ToList())
        {
            var g = GraphBuilder.Over(model);
            g.Before = node;
            var column = g.Unsqueeze(places, 1, 3);
            node.SetInput(1, node.Is("Greater") ? g.Sub(column, g.Int64Scalar(Size)) : column);
        }

        AssertAnswersAsBehindTokens(model, 2, 8);
    }

    /// <summary>Seen from 3 before the query to 3 behind it, which is one triangle as it is and turned.</summary>
    private static Value BothWays(GraphBuilder g, Value queries, Value keys, bool isTurnedFirst)
    {
        var triangle = Triangle(g, queries, keys, upper: 1, 1 - Size);
        var (near, turned) = (g.Cast(triangle, ElementType.Bool), g.Cast(g.Transpose(triangle, 1, 0), ElementType.Bool));
        return isTurnedFirst ? g.Op("And", turned, near) : g.Op("And", near, turned);
    }

    private static Value Nested(Value value, int times, Func<Value, Value> step) =>
        Enumerable.Range(0, times).Aggregate(value, (inner, _) => step(inner));

    private static Value Chunk(GraphBuilder g, Value places) => g.Op("Div", places, g.Int64Scalar(Size));

    private static Value Chunks(GraphBuilder g, Value queries, Value keys)
    {
        var seen = Enumerable.Range(0, 256).Select(static i => i / 16 / Size == i % 16 / Size).ToArray();
        var buffer = g.Constant(Tensor.Of<bool>(seen, [1, 1, 16, 16]));
        return g.Squeeze(g.Op("Slice", buffer, g.Int64(0, 0), Square(g, queries, keys), g.Int64(2, 3)), 0, 1);
    }

    /// <summary>Whether two tokens are of one row among several that stand behind each other, as exporters of masks ask: a row
    /// begins where a place is not one above the last.</summary>
    private static Value InOneRow(GraphBuilder g, Value queries, Value keys)
    {
        var places = g.Squeeze(keys, 0);
        var before = g.Concat(0, g.Sub(g.Op("Slice", places, g.Int64(0), g.Int64(1)), g.Int64Scalar(1)), places);
        var step = g.Sub(places, g.Op("Slice", before, g.Int64(0), g.Int64(-1)));
        var isNew = g.Cast(g.Op("Not", g.Op("Equal", step, g.Int64Scalar(1))), ElementType.Int64);
        var rows = g.Op("CumSum", isNew, g.Int64Scalar(0));
        return g.Op("Equal", g.Unsqueeze(rows, 0), g.Gather(rows, queries));
    }

    /// <summary>1, 2, 3, … for as many places.</summary>
    private static Value SummedUp(GraphBuilder g, Value places, long axis) => g.Op(
        "CumSum", g.Op("Expand", g.Int64(1), g.Shape(places)), g.Int64Scalar(axis));

    private static void AssertAnswersAsBehindTokens(Model model, int heads, int width)
    {
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

    /// <summary>Behind what a cache holds: there, the first row is not the first query.</summary>
    private static Value Triangle(GraphBuilder g, Value queries, Value keys, long upper, long diagonal, bool isTurned = false)
    {
        var (square, axes) = (Square(g, queries, keys), isTurned ? g.Int64(1, 0) : g.Int64(0, 1));
        var ones = g.Op("Expand", g.Int64Scalar(1), g.Gather(square, axes));
        var past = g.Sub(g.Gather(square, g.Int64Scalar(1)), g.Gather(square, g.Int64Scalar(0)));
        return g.Op("Trilu", [ones, g.Add(isTurned ? g.Op("Neg", past) : past, diagonal)], NodeAttribute.Of("upper", upper));
    }

    /// <summary>The first rows and columns of a constant for up to 16 tokens.</summary>
    private static Value Buffer(GraphBuilder g, Value queries, Value keys, Func<int, bool> isSeen)
    {
        const int Longest = 16;
        var seen = Enumerable.Range(0, Longest * Longest).Select(i => isSeen((i / Longest) - (i % Longest))).ToArray();
        var buffer = g.Constant(Tensor.Of<bool>(seen, [1, 1, Longest, Longest]), "bias");
        var cut = g.Op("Slice", buffer, g.Int64(0, 0), Square(g, queries, keys), g.Int64(2, 3));
        return g.Squeeze(cut, 0, 1);
    }

    /// <summary>[sequence, total].</summary>
    private static Value Square(GraphBuilder g, Value queries, Value keys) =>
        g.Concat(0, g.Gather(g.Shape(queries), g.Int64(0)), g.Gather(g.Shape(keys), g.Int64(1)));

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
