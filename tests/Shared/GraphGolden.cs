using System.Text.Json;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Serialization;
using OrtPeft.Tensors;
using OrtPeft.Tensors.Safetensors;

namespace OrtPeft.Testing;

/// <summary>What PyTorch computed for one fixture graph: inputs, outputs, losses and gradients of several
/// batches.</summary>
internal sealed class GraphGolden
{
    private readonly SafetensorsFile _data;
    private readonly JsonElement _index;

    private GraphGolden(string graph)
    {
        Graph = graph;
        var text = File.ReadAllText(Path.Combine(FolderOf(graph), "index.json"));
        using var json = JsonDocument.Parse(text.Replace("NaN", "null", StringComparison.Ordinal));
        _index = json.RootElement.Clone();
        _data = SafetensorsFile.Open(Path.Combine(Fixtures.Folder, _index.GetProperty("data").GetString()!));
    }

    /// <summary>The graphs that there are numbers for.</summary>
    public static IReadOnlyList<string> Graphs { get; } =
        [.. Fixtures.Graphs.Where(static g => File.Exists(Path.Combine(FolderOf(g), "index.json")))];

    /// <summary>The graph's path below the folder of graphs.</summary>
    public string Graph { get; }

    /// <summary>The names of the batches.</summary>
    public IReadOnlyList<string> Cases =>
        [.. _index.GetProperty("cases").EnumerateObject().Select(static c => c.Name)];

    /// <summary>
    /// The PyTorch parameter that each initializer holds, by the initializer's name, and whether it is stored the other
    /// way round.
    /// </summary>
    public IReadOnlyDictionary<string, (string Parameter, bool IsTransposed)> Initializers =>
        _index.GetProperty("initializer_to_param").EnumerateObject().ToDictionary(
            static p => p.Name,
            static p => (p.Value[0].GetString()!, p.Value[1].GetString() == "transposed"));

    /// <summary>Parameters that share the bytes of another one of equal value.</summary>
    public IReadOnlyList<string> Sharing =>
        [.. _index.GetProperty("params_without_own_initializer").EnumerateArray().Select(static p => p.GetString()!)];

    public static GraphGolden Open(string graph) => new(graph);

    public Model Load() => OnnxFile.Load(Fixtures.Graph(Graph));

    /// <summary>The mean loss of a batch, or null where it has no labels.</summary>
    public double? Loss(string name)
    {
        var found = _index.GetProperty("cases").GetProperty(name);
        var hasLoss = found.TryGetProperty("loss64", out var loss) && loss.ValueKind == JsonValueKind.Number;
        return hasLoss ? loss.GetDouble() : null;
    }

    /// <summary>The norm of each parameter's gradient; empty where none was computed.</summary>
    public IReadOnlyDictionary<string, double> GradientNorms(string name) =>
        _index.GetProperty("cases").GetProperty(name).TryGetProperty("grad_norm64", out var norms)
            ? norms.EnumerateObject().ToDictionary(static n => n.Name, static n => n.Value.GetDouble())
            : [];

    /// <summary>What the graph is fed, with the labels.</summary>
    public Dictionary<string, Tensor> Inputs(string name)
    {
        var inputs = Under($"{name}/in/");
        if (_data.Tensors.TryGetValue($"{name}/labels", out var labels))
            inputs["labels"] = labels;
        return inputs;
    }

    /// <summary>What the graph must give, from the float64 run where there was one.</summary>
    public Dictionary<string, Tensor> Outputs(string name)
    {
        var outputs = Under($"{name}/out/");
        foreach (var (output, exact) in Under($"{name}/out64/"))
            outputs[output] = exact;
        return outputs;
    }

    /// <summary>The loss's gradients by parameter, or by cache; empty where none were computed.</summary>
    public Dictionary<string, Tensor> Gradients(string name) => Under($"{name}/grad64/");

    private static string FolderOf(string graph)
    {
        var isFolder = graph.EndsWith("/model.onnx", StringComparison.Ordinal);
        var name = isFolder ? Path.GetDirectoryName(graph)! : graph[..^".onnx".Length];
        return Path.Combine(Fixtures.Folder, "golden", name.Replace("_extdata", "", StringComparison.Ordinal));
    }

    private Dictionary<string, Tensor> Under(string prefix) => _data.Tensors
        .Where(t => t.Key.StartsWith(prefix, StringComparison.Ordinal))
        .ToDictionary(t => t.Key[prefix.Length..], static t => t.Value);
}
