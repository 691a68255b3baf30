using System.Text.Json.Nodes;
using OrtPeft.Adapters.Modules;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Passes;
using OrtPeft.Onnx.Shapes;

namespace OrtPeft.Cli.Reporting;

/// <summary>What a model is made of, in lines and in JSON.</summary>
internal sealed class ModelReport
{
    private readonly string _name;
    private readonly Model _model;
    private readonly IReadOnlyList<LinearModule> _modules;

    private ModelReport(string name, Model model, IReadOnlyList<LinearModule> modules)
    {
        _name = name;
        _model = model;
        _modules = modules;
    }

    private Graph Graph => _model.Graph;

    private long ConstantBytes => Graph.Initializers.Sum(static v => v.Initializer!.Data.Length);

    public static ModelReport Of(string name, Model model)
    {
        var canonical = model.Clone();
        try
        {
            CanonicalForm.Apply(canonical);
        }
        catch (UnsupportedOpException)
        {
            // What stands in the way of a method is reported with the method; the list is then of the graph as it is.
            canonical = model;
        }

        return new ModelReport(name, model, ModuleCatalogue.LinearModules(canonical.Graph));
    }

    public IEnumerable<string> Lines()
    {
        yield return $"model: {_name}, opset {_model.Opset}, {Human.Count(Graph.Nodes.Count, "node")}, "
            + $"{Human.Count(Graph.Initializers.Count, "constant")} of {Human.Bytes(ConstantBytes)}";
        foreach (var value in Graph.Inputs.Where(static i => i.Initializer is null))
            yield return $"input   {value}";
        foreach (var value in Graph.Outputs)
            yield return $"output  {value}";
        foreach (var line in TextTable.Lines(ModuleGroups.Of(_modules)))
            yield return $"module  {line}";
    }

    public JsonObject ToJson() => new()
    {
        ["model"] = _name,
        ["opset"] = _model.Opset,
        ["nodes"] = Graph.Nodes.Count,
        ["constant_bytes"] = ConstantBytes,
        ["inputs"] = List(Graph.Inputs.Where(static i => i.Initializer is null).Select(Describe)),
        ["outputs"] = List(Graph.Outputs.Select(Describe)),
        ["modules"] = List(_modules.Select(Describe)),
    };

    private static JsonArray List(IEnumerable<JsonNode> items) => new([.. items]);

    private static JsonObject Describe(Value value) => new()
    {
        ["name"] = value.Name,
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
        ["layout"] = ModuleGroups.LayoutOf(module),
        ["bias"] = module.Bias is not null,
        ["output_layer"] = module.IsOutputLayer,
    };
}
