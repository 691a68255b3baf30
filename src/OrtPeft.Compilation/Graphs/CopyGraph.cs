using OrtPeft.Artifacts;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Passes;
using OrtPeft.Tensors;

namespace OrtPeft.Compilation.Graphs;

/// <summary>The graph that gives what it gets: running it moves a value between the memories that are bound to its
/// ends.</summary>
internal static class CopyGraph
{
    /// <summary>Builds the graph.</summary>
    /// <param name="type">The value's element type.</param>
    /// <returns>Input <c>value</c>, output <c>copy</c>, of any axes.</returns>
    public static CompiledGraph Build(ElementType type)
    {
        var model = new Model(CanonicalForm.Opset, graphName: "copy") { ProducerName = "OrtPeft" };
        var graph = model.Graph;
        var value = graph.AddInput("value", type, null);
        var copy = GraphBuilder.Over(model).Op("Identity", value);
        graph.Rename(copy, "copy");
        graph.AddOutput(copy);
        return new CompiledGraph(model, new ArtifactGraph
        {
            File = "",
            Inputs = [GraphContract.Described(value, ValueRoles.Data)],
            Outputs = [GraphContract.Described(copy, ValueRoles.Data)],
        });
    }
}
