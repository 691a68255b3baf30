using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Passes;
using OrtPeft.Runtime.Sessions;
using OrtPeft.Tensors;

namespace OrtPeft.WebGpu.Tests;

/// <summary>A session that stays open for all tests: ONNX Runtime forgets a device's compiled programs, which take most of
/// the time, with its last session.</summary>
public sealed class OpenDevice : IDisposable
{
    private readonly ModelSession? _session;

    public OpenDevice()
    {
        if (SoftwareDevice.WhyNot is not null)
            return;
        var model = new Model(CanonicalForm.Opset, graphName: "g");
        var y = GraphBuilder.Over(model).Add(model.Graph.AddInput("x", ElementType.Float, [4]), model.Graph.AddInput("y", ElementType.Float, [4]));
        model.Graph.AddOutput(y);
        _session = ModelSession.Open(model, new RuntimeOptions { Provider = "webgpu" });
    }

    public void Dispose() => _session?.Dispose();
}

/// <summary>The tests that share it.</summary>
[CollectionDefinition("device")]
public sealed class DeviceCollection : ICollectionFixture<OpenDevice>;
