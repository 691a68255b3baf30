using System.Text.Json.Nodes;
using OrtPeft.Adapters.Inspection;
using OrtPeft.Adapters.Modules;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Passes;
using OrtPeft.Onnx.Shapes;

namespace OrtPeft.Cli.Reporting;

/// <summary>The parts of a model, in lines and in JSON.</summary>
internal sealed class ModelReport(string name, Model model, ModelInspection inspection)
{
    private Graph Graph => model.Graph;

    private IEnumerable<Value> Inputs => Graph.Inputs.Where(static i => i.Initializer is null);

    private long ConstantBytes => Graph.Initializers.Sum(static v => v.Initializer!.Data.Length);

    public IEnumerable<string> Lines()
    {
        yield return $"model: {name}, opset {model.Opset}, {Human.Count(Graph.Nodes.Count, "node")}, "
            + $"{Human.Count(Graph.Initializers.Count, "constant")} of {Human.Bytes(ConstantBytes)}";
        var inputs = Inputs.Select(v => Row("input", v));
        foreach (var line in TextTable.Lines(inputs.Concat(Graph.Outputs.Select(v => Row("output", v)))))
            yield return line;
        foreach (var line in TextTable.Lines(ModuleGroups.Of(inspection.Modules)))
            yield return $"module  {line}";
        foreach (var shared in inspection.SharedWeights)
            yield return $"weight  {shared.Kind}: {string.Join(", ", shared.Names)}";
        foreach (var rewrite in inspection.Rewrites)
            yield return $"rewritten  {rewrite.Pass}: {rewrite.Op}, {Human.Count(rewrite.Count, "node")}";
        foreach (var node in inspection.ControlFlow)
            yield return $"control flow  {node} {ControlFlow.Describe(node)}";
    }

    public JsonObject ToJson() => new()
    {
        ["model"] = name,
        ["opset"] = model.Opset,
        ["nodes"] = Graph.Nodes.Count,
        ["constant_bytes"] = ConstantBytes,
        ["inputs"] = List(Inputs.Select(Describe)),
        ["outputs"] = List(Graph.Outputs.Select(Describe)),
        ["modules"] = List(inspection.Modules.Select(Describe)),
        ["shared_weights"] = List(inspection.SharedWeights.Select(static s => new JsonObject
        {
            ["kind"] = s.Kind,
            ["names"] = List(s.Names.Select(static n => (JsonNode)n)),
        })),
        ["rewritten"] = List(inspection.Rewrites.Select(static r => new JsonObject
        {
            ["pass"] = r.Pass,
            ["op"] = r.Op,
            ["nodes"] = r.Count,
        })),
        ["control_flow"] = List(inspection.ControlFlow.Select(static n => new JsonObject
        {
            ["op"] = n.OpType,
            ["node"] = n.Name,
            ["what"] = ControlFlow.Describe(n),
        })),
    };

    private string[] Row(string kind, Value value) => [kind, value.ToString(), inspection.RoleOf(value)];

    private static JsonArray List(IEnumerable<JsonNode> items) => new([.. items]);

    private JsonObject Describe(Value value) => new()
    {
        ["name"] = value.Name,
        ["role"] = inspection.RoleOf(value),
        ["type"] = value.Type.ToString(),
        ["shape"] = value.Shape is null ? null : new JsonArray([.. value.Shape.Select(Describe)]),
    };

    /// <summary>A number, or what stands in its place: a name, an expression, <c>?</c>.</summary>
    private static JsonNode? Describe(Dim dim) => dim.Value is { } length ? length : dim.ToString();

    private static JsonObject Describe(LinearModule module) => new()
    {
        ["name"] = module.Name,
        ["in_features"] = module.InFeatures,
        ["out_features"] = module.OutFeatures,
        ["op"] = module.Node.OpType,
        ["layout"] = ModuleGroups.LayoutOf(module),
        ["weight"] = module.Weight.Name,
        ["transposed"] = module.Node.Inputs[1] != module.Weight || module.Node.Attributes.Int("transB", 0) != 0,
        ["bias"] = module.Bias is not null,
        ["bias_name"] = module.Bias?.Name,
        ["output_layer"] = module.IsOutputLayer,
    };
}
