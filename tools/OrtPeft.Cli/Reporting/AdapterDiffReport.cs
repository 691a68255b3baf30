using System.Text.Json.Nodes;
using OrtPeft.Adapters.Inspection;
using OrtPeft.Tensors;

namespace OrtPeft.Cli.Reporting;

/// <summary>How two adapters differ, for people and for programs.</summary>
internal sealed class AdapterDiffReport(StoredAdapter first, StoredAdapter second)
{
    private readonly AdapterComparison _all = AdapterComparison.Of(first, second);

    private List<TensorDifference> Differing => [.. _all.Tensors.Where(static t => t.Differing > 0)];

    public IEnumerable<string> Lines()
    {
        if (_all.IsEqual)
            yield return $"{first.Folder} and {second.Folder} are equal: all settings and {Human.Count(_all.Tensors.Count, "tensor")}.";
        foreach (var setting in _all.Settings)
            yield return $"{setting.Name}: {setting.Before} | {setting.Now}";
        foreach (var name in _all.OnlyInFirst)
            yield return $"Only in {first.Folder}: {name}";
        foreach (var name in _all.OnlyInSecond)
            yield return $"Only in {second.Folder}: {name}";
        foreach (var line in Table(["tensor", "largest difference", "relative"], Differing.Select(Row)))
            yield return line;
        if (_all.Tensors.Count > Differing.Count && !_all.IsEqual)
            yield return $"{Human.Count(_all.Tensors.Count - Differing.Count, "tensor")} of both are equal.";
        if (_all.Deltas is not { } deltas)
        {
            yield return $"The changes to the weights are not compared: {_all.WhyNoDeltas}.";
            yield break;
        }

        var rows = deltas.Modules.Where(static m => m.Relative != 0).Select(Row);
        foreach (var line in Table(["module", "norm", "norm", "relative", "cosine"], rows))
            yield return line;
        yield return $"Cosine of the changes to the weights: {Cosine(deltas.Cosine)}";
    }

    public JsonObject ToJson() => new()
    {
        ["first"] = first.Folder,
        ["second"] = second.Folder,
        ["equal"] = _all.IsEqual,
        ["settings"] = new JsonArray([.. _all.Settings.Select(static s => (JsonNode)new JsonObject
        {
            ["name"] = s.Name,
            ["first"] = JsonNode.Parse(s.Before!),
            ["second"] = JsonNode.Parse(s.Now),
        })]),
        ["only_in_first"] = Texts(_all.OnlyInFirst),
        ["only_in_second"] = Texts(_all.OnlyInSecond),
        ["tensors"] = new JsonArray([.. _all.Tensors.Select(static t => (JsonNode)new JsonObject
        {
            ["name"] = t.Name,
            ["first"] = Shape(t.First),
            ["second"] = Shape(t.Second),
            ["differing"] = t.Differing,
            ["largest_difference"] = t.Largest,
            ["relative_difference"] = t.Relative,
        })]),
        ["modules"] = _all.Deltas is null ? null : new JsonArray([.. _all.Deltas.Modules.Select(static m => (JsonNode)new JsonObject
        {
            ["module"] = m.Module,
            ["first_norm"] = Finite.OrNull(m.FirstNorm),
            ["second_norm"] = Finite.OrNull(m.SecondNorm),
            ["relative_difference"] = m.Relative,
            ["cosine"] = m.Cosine,
        })]),
        ["cosine"] = _all.Deltas?.Cosine,
        ["why_no_cosine"] = _all.WhyNoDeltas,
    };

    private static IEnumerable<string> Table(string[] titles, IEnumerable<string[]> rows)
    {
        string[][] all = [.. rows];
        return all.Length == 0 ? [] : TextTable.Lines(all.Prepend(titles)).Prepend("");
    }

    private static string[] Row(TensorDifference tensor) => tensor.IsComparable
        ? [tensor.Name, Number(tensor.Largest), Number(tensor.Relative)]
        : [tensor.Name, $"{Shape(tensor.First)} | {Shape(tensor.Second)}", ""];

    private static string[] Row(ModuleDifference module) =>
    [
        module.Module, Number(Finite.OrNull(module.FirstNorm)), Number(Finite.OrNull(module.SecondNorm)),
        Number(module.Relative), Cosine(module.Cosine),
    ];

    private static string Number(double? number) => number is { } known ? Human.Rate(known) : "n/a";

    private static string Cosine(double? cosine) => cosine is { } known ? Human.Loss(known) : "n/a";

    private static string Shape(Tensor tensor) => $"{tensor.Type}[{string.Join(", ", tensor.Dims)}]";

    private static JsonArray Texts(IEnumerable<string> texts) => new([.. texts.Select(static t => (JsonNode)t)]);
}
