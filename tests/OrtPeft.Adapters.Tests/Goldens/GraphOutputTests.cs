using OrtPeft.Onnx.Passes;
using OrtPeft.Runtime.Sessions;
using OrtPeft.Testing;

namespace OrtPeft.Adapters.Tests.Goldens;

/// <summary>Every fixture graph in canonical form gives PyTorch's logits and caches.</summary>
public sealed class GraphOutputTests
{
    public static TheoryData<string> Graphs => [.. GraphGolden.Graphs];

    /// <summary>1e-5 is two to five times what float32 loses in these models.</summary>
    [Theory]
    [MemberData(nameof(Graphs))]
    public void Run_WhenCanonical_GivesPyTorchsOutputs(string graph)
    {
        var golden = GraphGolden.Open(graph);
        var model = golden.Load();
        CanonicalForm.Apply(model);
        DropoutLowering.ForEvaluation(model);
        using var session = ModelSession.Open(model, new RuntimeOptions { Threads = 1 });

        var results = golden.Cases.Select(name => OnnxRun.Of(session, golden.Inputs(name))).ToArray();

        Assert.NotEmpty(results);
        foreach (var (name, result) in golden.Cases.Zip(results))
        {
            Assert.Contains("logits", golden.Outputs(name).Keys);
            foreach (var (output, expected) in golden.Outputs(name))
                Near.Within(expected.ToFloat32(), result[output].ToFloat32(), 1e-5, $"{name}/{output}");
        }
    }
}
