using OrtPeft.Adapters.Lora;
using OrtPeft.Adapters.Merging;
using OrtPeft.Adapters.Tests.Goldens;
using OrtPeft.Adapters.Tests.Proof;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Shapes;
using OrtPeft.Tensors;
using OrtPeft.Testing;

namespace OrtPeft.Adapters.Tests.Decoders;

/// <summary>
/// A decoder whose attention is a recurrence over tokens, as scripted loops and <c>torch.scan</c> export it: S' = λ·S + kᵀ·v,
/// y = q·S', λ = sigmoid(w), S being [batch, 4, 4].
/// </summary>
public sealed class LinearAttentionTests
{
    private const long Width = 4;
    private const long Vocabulary = 11;

    [Theory]
    [InlineData("Loop")]
    [InlineData("Scan")]
    public void Gradient_ThroughTheRecurrence_IsTheDifference(string form)
    {
        var peft = PeftModel.Create(
            Build(form), new LoraConfig { R = 2, TargetModules = ["q_proj", "k_proj", "v_proj"], InitLoraWeights = LoraInit.Random });
        var batch = Batch();

        var step = Step.Of(peft, batch);

        Assert.Equal(6, step.Gradients.Count);
        Assert.All(step.Gradients.Values, static g => Assert.Contains(g.ToFloat32(), static v => Math.Abs(v) > 1e-5));
        var start = peft.GetWeights().ToDictionary(static w => w.Key, static w => w.Value.ToFloat32());
        foreach (var (name, gradient) in step.Gradients)
        {
            var along = gradient.ToFloat32();
            var square = along.Sum(static v => (double)v * v);
            var by = 3e-3 / Math.Sqrt(square);
            var slope = (LossAt(by) - LossAt(-by)) / (2 * by * square);
            Assert.True(Math.Abs(slope - 1) < 0.01, $"{form}, {name}: the slope along the gradient is {slope} of what it says");

            double LossAt(double at)
            {
                var moved = peft.GetWeights().ToDictionary(static w => w.Key, w => w.Key == name
                    ? Tensor.Of<float>([.. start[name].Zip(along, (v, d) => v + (float)(at * d))], w.Value.Dims.AsSpan())
                    : w.Value);
                var other = PeftModel.Create(Build(form), peft.Config);
                other.SetWeights(moved);
                return Step.Of(other, batch).Loss;
            }
        }
    }

    [Theory]
    [InlineData("Loop")]
    [InlineData("Scan")]
    public void Merge_KeepsTheSourceGraph(string form)
    {
        var peft = PeftModel.Create(
            Build(form), new LoraConfig { R = 2, TargetModules = ["q_proj", "v_proj"], InitLoraWeights = LoraInit.Random });

        var merged = peft.MergeAs(MergeForm.Float);

        Assert.True(merged.IsSourceGraph);
        Assert.Contains(merged.Model.Graph.Nodes, n => n.OpType == form);
        Near.Absolute(DecoderLogits.Of(peft.Model, Batch()), DecoderLogits.Of(merged.Model, Batch()), 1e-5, "logits");
    }

    private static Dictionary<string, Tensor> Batch()
    {
        var ids = Tensor.Of<long>([1, 5, 3, 9, 2, 7, 4, 4, 10, 6, 8, 1], [2, 6]);
        return new Dictionary<string, Tensor> { ["input_ids"] = ids, ["labels"] = ids };
    }

    private static Model Build(string form)
    {
        var model = new Model(17);
        var g = new GraphBuilder(model.Graph, new ShapeInference(17));
        var ids = model.Graph.AddInput("input_ids", ElementType.Int64, [Dim.Named("batch"), Dim.Named("sequence")]);
        var x = g.Gather(Weight(g, "model.embed_tokens.weight", Vocabulary, Width), ids);
        var (q, k, v) = (Linear(g, x, "q_proj"), Linear(g, x, "k_proj"), Linear(g, x, "v_proj"));
        var decay = g.Op("Sigmoid", g.Graph.AddInitializer("model.layers.0.decay", Tensor.Vector(1.5f)));
        Value[] rows = [Rows(q), Rows(k), Rows(v)];
        var batch = g.Op("Slice", g.Shape(ids), g.Int64(0), g.Int64(1));
        var empty = g.Op("ConstantOfShape", [g.Concat(0, batch, g.Int64(Width, Width))], NodeAttribute.Of("value", Tensor.Vector(0f)));
        var y = form == "Loop" ? Loop(g, ids, empty, rows, decay) : Scan(g, empty, rows, decay);
        var h = g.Add(x, g.Transpose(y, 1, 0, 2));
        var logits = g.MatMul(h, Weight(g, "lm_head.weight", Width, Vocabulary));
        model.Graph.Rename(logits, "logits");
        model.Graph.AddOutput(logits);
        return model;

        Value Rows(Value value) => g.Transpose(value, 1, 0, 2);
    }

    private static Value Loop(GraphBuilder g, Value ids, Value first, Value[] rows, Value decay)
    {
        var body = new Graph("loop_body", g.Graph);
        var i = body.AddInput("i", ElementType.Int64, []);
        var going = body.AddInput("going", ElementType.Bool, []);
        var state = body.AddInput("state", ElementType.Float, null);
        var b = new GraphBuilder(body, g.Shapes) { Scope = "/loop" };
        var (next, y) = OneStep(b, state, [.. rows.Select(r => b.Gather(r, i))], decay);
        body.AddOutput(b.Op("Identity", going));
        body.AddOutput(next);
        body.AddOutput(y);
        var length = g.Squeeze(g.Op("Slice", g.Shape(ids), g.Int64(1), g.Int64(2)), 0);
        return Typed(g.Ops("Loop", 2, [length, g.Constant(Tensor.Scalar(true)), first], [NodeAttribute.Of("body", body)]));
    }

    private static Value Scan(GraphBuilder g, Value first, Value[] rows, Value decay)
    {
        var body = new Graph("scan_body", g.Graph);
        var state = body.AddInput("state", ElementType.Float, null);
        Value[] each = [.. rows.Select((_, n) => body.AddInput($"row_{n}", ElementType.Float, null))];
        var b = new GraphBuilder(body, g.Shapes) { Scope = "/scan" };
        var (next, y) = OneStep(b, state, each, decay);
        body.AddOutput(next);
        body.AddOutput(y);
        return Typed(g.Ops(
            "Scan", 2, [first, .. rows], [NodeAttribute.Of("body", body), NodeAttribute.Of("num_scan_inputs", 3L)]));
    }

    private static (Value Next, Value Y) OneStep(GraphBuilder b, Value state, Value[] rows, Value decay)
    {
        var update = b.MatMul(b.Op("Unsqueeze", rows[1], b.Int64(2)), b.Op("Unsqueeze", rows[2], b.Int64(1)));
        var next = b.Op("Add", b.Op("Mul", state, decay), update);
        var y = b.Op("Squeeze", b.Op("MatMul", b.Op("Unsqueeze", rows[0], b.Int64(1)), next), b.Int64(1));
        return (next, y);
    }

    private static Value Typed(IReadOnlyList<Value> results)
    {
        (results[1].Type, results[1].Shape) = (ElementType.Float, [Dim.Named("sequence"), Dim.Named("batch"), Width]);
        return results[1];
    }

    private static Value Linear(GraphBuilder g, Value x, string name) =>
        g.MatMul(x, Weight(g, $"model.layers.0.self_attn.{name}.weight", Width, Width));

    private static Value Weight(GraphBuilder g, string name, long rows, long columns) => g.Graph.AddInitializer(
        name,
        Tensor.Of<float>(
            [.. Probe.Numbers((int)(rows * columns), name.Length * 0.37).Select(static v => (float)v)], [rows, columns]));
}
