using System.Runtime.InteropServices;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Passes;
using OrtPeft.Onnx.Shapes;
using OrtPeft.Tensors;
using OrtPeft.Testing;

namespace OrtPeft.Adapters.Tests.Proof;

/// <summary>
/// One layer <c>lin</c>, y = x·W + bias, whose weight is stored either way, and what its adapter makes of three rows.
/// </summary>
internal sealed record Probe(int Inputs, int Outputs, bool IsOutByIn)
{
    public const int Rows = 3;

    /// <summary>The inputs, [3, in].</summary>
    public double[] X => Numbers(Rows * Inputs, 0.3);

    /// <summary>W by output and input.</summary>
    public double W(int output, int input) => Numbers(Inputs * Outputs, 1.1)[(output * Inputs) + input];

    public double Bias(int output) => Numbers(Outputs, 2.7)[output];

    /// <summary>Numbers in ±1 without a pattern, exact in float32.</summary>
    public static double[] Numbers(int count, double start) =>
        [.. Enumerable.Range(0, count).Select(i => (double)(float)Math.Sin(start + (1.7 * i)))];

    public Model Model()
    {
        var model = new Model(opset: 21);
        var g = new GraphBuilder(model.Graph, new ShapeInference(21));
        var x = model.Graph.AddInput("x", ElementType.Float, [Dim.Named("batch"), Inputs]);
        var weight = new float[Inputs * Outputs];
        for (var o = 0; o < Outputs; o++)
            for (var i = 0; i < Inputs; i++)
                weight[IsOutByIn ? (o * Inputs) + i : (i * Outputs) + o] = (float)W(o, i);
        var bias = Enumerable.Range(0, Outputs).Select(o => (float)Bias(o)).ToArray();
        var w = model.Graph.AddInitializer(
            "lin.weight", Tensor.Of<float>(weight, IsOutByIn ? [Outputs, Inputs] : [Inputs, Outputs]));
        var b = model.Graph.AddInitializer("lin.bias", Tensor.Vector<float>(bias));
        model.Graph.AddOutput(g.Gemm(x, w, b, transB: IsOutByIn));
        return model;
    }

    /// <summary>The layer with an adapter whose every weight is far from 0.</summary>
    public PeftModel Adapted(PeftConfig config)
    {
        var peft = PeftModel.Create(Model(), config);
        var weights = peft.GetWeights().Select((w, n) => KeyValuePair.Create(w.Key, Tensor.Of<float>(
            [.. Numbers((int)w.Value.Count, n + 0.2).Select(static v => (float)v)], w.Value.Dims.AsSpan())));
        peft.SetWeights(new Dictionary<string, Tensor>(weights));
        return peft;
    }

    /// <summary>y of a model for the three rows, without dropout.</summary>
    public float[] Answer(Model model)
    {
        var copy = model.Clone();
        DropoutLowering.ForEvaluation(copy);
        var x = Tensor.Of<float>([.. X.Select(static v => (float)v)], [Rows, Inputs]);
        return OnnxRun.Of(copy, new Dictionary<string, Tensor> { ["x"] = x }).Values.Single().ToFloat32();
    }

    /// <summary>y where the weight has gained ΔW, summed up one product after the other.</summary>
    public float[] Naive(Func<int, int, double> delta)
    {
        var y = new float[Rows * Outputs];
        for (var n = 0; n < Rows; n++)
        {
            for (var o = 0; o < Outputs; o++)
            {
                var sum = Bias(o);
                for (var i = 0; i < Inputs; i++)
                    sum += X[(n * Inputs) + i] * (W(o, i) + delta(o, i));
                y[(n * Outputs) + o] = (float)sum;
            }
        }

        return y;
    }

    /// <summary>A parameter of an adapter as a matrix of the given name's ending.</summary>
    public static Func<int, int, double> Matrix(PeftModel peft, string ending)
    {
        var tensor = peft.GetWeights().Single(w => w.Key.EndsWith(ending, StringComparison.Ordinal)).Value;
        var (values, columns) = (tensor.ToFloat32(), (int)tensor.Dims[^1]);
        return (row, column) => values[(row * columns) + column];
    }

    public static ReadOnlySpan<double> Doubles(Tensor tensor) =>
        MemoryMarshal.Cast<byte, double>(tensor.Data.Slice(0, (int)tensor.Data.Length));
}
