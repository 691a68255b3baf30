using System.Numerics.Tensors;
using OrtPeft.Adapters.Modules;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;

using Tensor = OrtPeft.Tensors.Tensor;

namespace OrtPeft.Adapters.Lora;

/// <summary>
/// A parameter of experts that LoRA adapts, as HF PEFT's <c>target_parameters</c> does: expert e has rows
/// e·r … e·r + r − 1 of A [experts · r, in], and columns e, e + experts, … of B [out, r · experts].
/// </summary>
/// <param name="weight">The parameter.</param>
/// <param name="name">The name that HF PEFT gives it: of several parameters of a module, the last one's is the
/// module's, and the others' are those of <c>base_layer</c> within it.</param>
internal sealed class ExpertTarget(ExpertWeight weight, string name) : LoraTarget
{
    public ExpertWeight Parameter => weight;

    public override string Name => name;

    public override string PatternName => weight.Path;

    public override Value Weight => weight.Weight;

    public override bool IsOutByIn => weight.IsOutByIn;

    public override bool HasDropout => false;

    public override bool ReadsActivations => true;

    public override Value? Bias => null;

    public override string NameOfA => HfName.Of(Name, HfName.LoraA);

    public override string NameOfB => HfName.Of(Name, HfName.LoraB);

    public override int Copies => (int)Dims[0];

    public override int InFeatures => (int)Dims[IsOutByIn ? 2 : 1];

    public override int OutFeatures => (int)Dims[IsOutByIn ? 1 : 2];

    public override Value Input(GraphBuilder g)
    {
        g.Scope = $"/lora/{Name}";
        g.Before = g.Graph.FirstReader(weight.Node.Output);
        return weight.Node.Inputs[0]!;
    }

    /// <summary>The operand, [1 or experts, n, in], times A's rows of each expert: [experts, n, r].</summary>
    public override Value Times(GraphBuilder g, Value input, Value matrix, bool isOutByIn) =>
        g.MatMul(input, g.Transpose(g.Reshape(matrix, Copies, -1, InFeatures), 0, 2, 1));

    public override Value Sum(GraphBuilder g, Value low, Value b, Value y, float scale)
    {
        var columns = g.Transpose(g.Reshape(b, OutFeatures, -1, Copies), 2, 1, 0);
        return g.Add(y, g.Mul(g.MatMul(low, columns), scale));
    }

    public override void Replace(GraphBuilder g, Func<Value, Value> change)
    {
        var made = weight.Node.Output;
        g.Before = g.Graph.FirstReader(made);
        var changed = change(made);
        (changed.Type, changed.Shape) = (made.Type, made.Shape);
        var own = made.Uses.Select(static u => u.Node)
            .Where(n => n.Name.StartsWith(g.Scope + "/", StringComparison.Ordinal)).ToArray();
        g.Graph.ReplaceAllUsesWith(made, changed, own);
        g.Before = null;
    }

    public override Value? Offset(GraphBuilder g) => null;

    public override void SetWeight(Graph graph, Tensor content) => graph.SetInitializer(weight.Weight, content);

    /// <summary>W[e] + s·B[e]·A[e], in the stored layout.</summary>
    public Tensor Merged(Tensor a, Tensor b, double scale)
    {
        var (experts, inputs, outputs) = (Copies, InFeatures, OutFeatures);
        var r = (int)a.Dims[0] / experts;
        var (rows, columns) = (a.ToFloat32(), b.ToFloat32());
        var sum = weight.Weight.Constant!.ToFloat32();
        var row = new float[inputs];
        for (var expert = 0; expert < experts; expert++)
        {
            var matrix = sum.AsSpan(expert * inputs * outputs, inputs * outputs);
            for (var o = 0; o < outputs; o++)
            {
                Array.Clear(row);
                for (var k = 0; k < r; k++)
                {
                    var factor = (float)(scale * columns[(((o * r) + k) * experts) + expert]);
                    var direction = rows.AsSpan(((expert * r) + k) * inputs, inputs);
                    TensorPrimitives.MultiplyAdd(direction, factor, row, row);
                }

                AddRow(matrix, row, o, outputs);
            }
        }

        return Tensor.Of<float>(sum, Dims.AsSpan());
    }

    private void AddRow(Span<float> matrix, float[] row, int output, int outputs)
    {
        for (var i = 0; i < row.Length; i++)
            matrix[IsOutByIn ? (output * row.Length) + i : (i * outputs) + output] += row[i];
    }
}
