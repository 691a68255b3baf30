using System.Text.Json.Nodes;
using OrtPeft.Adapters;
using OrtPeft.Onnx;

namespace OrtPeft.Cli.Reporting;

/// <summary>What a method would train in a model, in lines and in JSON.</summary>
internal sealed class MethodReport
{
    private readonly PeftModel? _peft;
    private readonly IReadOnlyList<Node> _withoutGradient;
    private readonly string? _problem;

    private MethodReport(PeftModel? peft, IReadOnlyList<Node> withoutGradient, string? problem)
    {
        _peft = peft;
        _withoutGradient = withoutGradient;
        _problem = problem;
    }

    public static MethodReport Of(PeftModel peft, IReadOnlyList<Node> withoutGradient) =>
        new(peft, withoutGradient, null);

    public static MethodReport Impossible(string problem) => new(null, [], problem);

    public IEnumerable<string> Lines()
    {
        if (_peft is null)
        {
            yield return $"method: none fits: {_problem}";
            yield break;
        }

        yield return $"method: {PeftMethods.Of(_peft.Config).Description.Name}, {_peft.DescribeTrainableParameters()}";
        foreach (var group in _withoutGradient.GroupBy(static n => (n.Domain, n.OpType)))
        {
            var (first, count) = (group.First(), Human.Count(group.Count(), "node"));
            yield return $"no gradient rule: {first} (opset {OpsetOf(first)}), {count}";
        }

        if (_withoutGradient.Count == 0)
            yield return "every operator between the trainable parameters and the output has a gradient rule";
    }

    public JsonObject ToJson() => _peft is null
        ? new() { ["error"] = _problem }
        : new()
        {
            ["name"] = PeftMethods.Of(_peft.Config).Description.Name,
            ["config"] = _peft.Config.ToJson(),
            ["trainable_parameters"] = _peft.TrainableParameterCount,
            ["total_parameters"] = _peft.TotalParameterCount,
            ["parameters"] = new JsonArray([.. _peft.Parameters.Select(Describe)]),
            ["ops_without_gradient"] = new JsonArray([.. _withoutGradient.Select(Describe)]),
        };

    private static JsonObject Describe(AdapterParameter parameter) => new()
    {
        ["name"] = parameter.Name,
        ["shape"] = new JsonArray([.. parameter.Value.Initializer!.Dims.Select(static d => (JsonNode?)d)]),
    };

    private JsonObject Describe(Node node) => new()
    {
        ["op"] = node.OpType,
        ["domain"] = node.Domain,
        ["node"] = node.Name,
        ["opset"] = OpsetOf(node),
    };

    private long OpsetOf(Node node) => _peft!.Model.Opsets.GetValueOrDefault(node.Domain, 1);
}
