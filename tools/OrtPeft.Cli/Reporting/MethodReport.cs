using System.Text.Json.Nodes;
using OrtPeft.Adapters;
using OrtPeft.Compilation;
using OrtPeft.Onnx;

namespace OrtPeft.Cli.Reporting;

/// <summary>Whether a model trains with a method, and what would train, in lines and in JSON.</summary>
/// <param name="peft">The adapted model, or null where the method does not fit.</param>
/// <param name="verdict">Whether it trains.</param>
internal sealed class MethodReport(PeftModel? peft, TrainingVerdict verdict)
{
    /// <summary>The plain answer, in one line.</summary>
    public string Verdict => verdict.Trains
        ? "This graph trains."
        : $"This graph does not train: {verdict.Reason}";

    public bool Trains => verdict.Trains;

    /// <summary>The adapted model, or null where the method does not fit.</summary>
    public PeftModel? Peft => peft;

    public IEnumerable<string> Lines()
    {
        if (peft is null)
            yield break;
        yield return $"method: {PeftMethods.Of(peft.Config).Description.Name}, {peft.DescribeTrainableParameters()}";
        foreach (var line in TextTable.Lines(Groups(peft)))
            yield return $"trains  {line}";
        foreach (var group in verdict.WithoutGradient.GroupBy(static n => (n.Domain, n.OpType)))
        {
            var count = Human.Count(group.Count(), "node");
            yield return $"no gradient rule: {group.First()} (opset {OpsetOf(group.First())}), {count}";
        }

        if (verdict.WithoutGradient.Count == 0)
            yield return "every operator between the trainable parameters and the output has a gradient rule";
    }

    public JsonObject ToJson() => peft is null
        ? new() { ["error"] = verdict.Reason }
        : new()
        {
            ["name"] = PeftMethods.Of(peft.Config).Description.Name,
            ["config"] = peft.Config.ToJson(),
            ["trainable_parameters"] = peft.TrainableParameterCount,
            ["total_parameters"] = peft.TotalParameterCount,
            ["trainable_percent"] = 100.0 * peft.TrainableParameterCount / Math.Max(peft.TotalParameterCount, 1),
            ["parameters"] = new JsonArray([.. peft.Parameters.Select(Describe)]),
            ["ops_without_gradient"] = new JsonArray([.. verdict.WithoutGradient.Select(Describe)]),
        };

    private static IEnumerable<string[]> Groups(PeftModel peft) => peft.Parameters
        .GroupBy(static p => (Pattern: NumberedNames.PatternOf(p.Name), Shape: p.Value.Initializer!.Shape.ToString()))
        .Select(static group => new[]
        {
            NumberedNames.Join([.. group.Select(static p => p.Name)]),
            group.Key.Shape,
            $"{Human.Count(group.Count())} × {Human.Count(group.First().Value.Initializer!.Count)}",
        });

    private static JsonObject Describe(AdapterParameter parameter) => new()
    {
        ["name"] = parameter.Name,
        ["shape"] = new JsonArray([.. parameter.Value.Initializer!.Dims.Select(static d => (JsonNode?)d)]),
        ["count"] = parameter.Value.Initializer!.Count,
    };

    private JsonObject Describe(Node node) => new()
    {
        ["op"] = node.OpType,
        ["domain"] = node.Domain,
        ["node"] = node.Name,
        ["opset"] = OpsetOf(node),
    };

    private long OpsetOf(Node node) => peft!.Model.Opsets.GetValueOrDefault(node.Domain, 1);
}
