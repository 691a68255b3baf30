using Microsoft.ML.OnnxRuntime;
using OrtPeft.Artifacts.OrtFormats;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Serialization;
using OrtPeft.Onnx.Shapes;
using OrtPeft.Tensors;
using OrtPeft.Testing;

using Tensor = OrtPeft.Tensors.Tensor;

namespace OrtPeft.Artifacts.Tests.OrtFormats;

/// <summary>ONNX Runtime loads the adapters and runs a model with them.</summary>
public sealed class OrtAdapterRuntimeTests : IDisposable
{
    private const string A = "model.layers.0.self_attn.q_proj.lora_A.weight";
    private const string B = "model.layers.0.self_attn.q_proj.lora_B.weight";

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void Run_WithTheAdapterActive_AddsItsProduct(int rank)
    {
        OrtAdapterFile file = new() { Parameters = [Samples.Floats(A, 2, rank), Samples.Floats(B, rank, 3)] };
        file.Save(_folder["a.onnx_adapter"]);
        using var session = new InferenceSession(Model());
        using var adapter = OrtLoraAdapter.Create(_folder["a.onnx_adapter"], null);

        var bare = Run(session, null);
        var adapted = Run(session, adapter);

        Assert.Equal([1f, 2, 3], bare);
        Assert.Equal(Expected(bare, file, rank), adapted);
    }

    [Fact]
    public void Create_FromBytesOfEveryType_IsAccepted()
    {
        var generator = FsCheck.Fluent.Gen.Where(Samples.Adapters, static a => a.Parameters.Count > 0);
        var samples = FsCheck.Fluent.Gen.Sample(generator, 40, 40);
        foreach (var file in samples)
        {
            file.Save(_folder["any.onnx_adapter"]);
            using var adapter = OrtLoraAdapter.Create(File.ReadAllBytes(_folder["any.onnx_adapter"]), null);

            Assert.False(adapter.IsInvalid);
        }
    }

    /// <summary>x is [1, 2] and the sums are multiples of 1/64, exact in float32.</summary>
    private static float[] Expected(float[] bare, OrtAdapterFile file, int rank)
    {
        var (a, b) = (file.Parameters[0].ToFloat32(), file.Parameters[1].ToFloat32());
        var hidden = Enumerable.Range(0, rank).Select(r => a[r] + (2 * a[rank + r])).ToArray();
        return [.. bare.Select((y, j) => y + Enumerable.Range(0, rank).Sum(r => hidden[r] * b[(r * 3) + j]))];
    }

    /// <summary>y = x·W + x·A·B, where A and B are optional inputs that are empty by default.</summary>
    private string Model()
    {
        var model = new Model(opset: 21);
        var graph = model.Graph;
        var g = new GraphBuilder(graph, new ShapeInference(21));
        var x = graph.AddInput("x", ElementType.Float, [1, 2]);
        var a = Optional(graph, A, [2, Dim.Named("lora_r")], [2, 0]);
        var b = Optional(graph, B, [Dim.Named("lora_r"), 3], [0, 3]);
        var w = graph.AddInitializer("W", Tensor.Of<float>([1, 0, 1, 0, 1, 1], [2, 3]));
        var y = g.Add(g.MatMul(x, w), g.MatMul(g.MatMul(x, a), b));
        graph.AddOutput(y);
        OnnxFile.Save(model, _folder["model.onnx"]);
        return _folder["model.onnx"];
    }

    private static Value Optional(Graph graph, string name, Shape shape, long[] empty)
    {
        var value = graph.AddInput(name, ElementType.Float, shape);
        graph.SetInitializer(value, Tensor.Of<float>([], empty));
        return value;
    }

    private static float[] Run(InferenceSession session, OrtLoraAdapter? adapter)
    {
        using var options = new RunOptions();
        if (adapter is not null)
            options.AddActiveLoraAdapter(adapter);
        using var x = OrtValue.CreateTensorValueFromMemory([1f, 2f], [1, 2]);
        using var results = session.Run(options, ["x"], [x], session.OutputNames);
        return results[0].GetTensorDataAsSpan<float>().ToArray();
    }
}
