using System.Collections.Immutable;
using System.Text.Json;

namespace OrtPeft.Onnx;

/// <summary>
/// An ONNX model: one main graph, the operator-set versions it is written for, and what the file says of its origin.
/// Compared by reference; not thread-safe while edited.
/// </summary>
public sealed class Model
{
    /// <summary>The domain of operators that OrtPeft puts into graphs that it runs itself; files have none of them.
    /// </summary>
    public const string OwnDomain = "ortpeft";

    /// <summary>Creates a model around an empty graph.</summary>
    /// <param name="opset">The version of the standard operator set.</param>
    /// <param name="irVersion">The file format's version; 10 is what ONNX 1.16 writes and ONNX Runtime 1.18 and later
    /// read.</param>
    /// <param name="graphName">The graph's name.</param>
    public Model(int opset, int irVersion = 10, string graphName = "main")
    {
        IrVersion = irVersion;
        Opsets = new SortedDictionary<string, long>(StringComparer.Ordinal) { [""] = opset };
        Graph = new Graph(graphName);
    }

    internal Model(Graph graph, SortedDictionary<string, long> opsets)
    {
        Graph = graph;
        Opsets = opsets;
    }

    /// <summary>The file format's version.</summary>
    public long IrVersion { get; set; }

    /// <summary>The program that wrote the model.</summary>
    public string ProducerName { get; set; } = "";

    /// <summary>The version of that program.</summary>
    public string ProducerVersion { get; set; } = "";

    /// <summary>Operator-set versions by domain, the standard one under the empty name.</summary>
    public SortedDictionary<string, long> Opsets { get; }

    /// <summary>Free text by key, saved with the model.</summary>
    public SortedDictionary<string, string> Metadata { get; } = new(StringComparer.Ordinal);

    /// <summary>
    /// The former names of inputs and outputs that <see cref="Passes.DecoderNaming"/> renamed, by their present names.
    /// Not saved.
    /// </summary>
    public SortedDictionary<string, string> OriginalNames { get; } = new(StringComparer.Ordinal);

    /// <summary>The main graph.</summary>
    public Graph Graph { get; }

    /// <summary>The version of the standard operator set.</summary>
    public int Opset => (int)Opsets.GetValueOrDefault("", 1);

    /// <summary>
    /// The rest of what the file said of the model, beyond the members here (functions, training info), as protobuf
    /// bytes.
    /// </summary>
    internal ReadOnlyMemory<byte> Unmodelled { get; init; }

    /// <summary>Texts by name that an entry of <see cref="Metadata"/> holds as a JSON object.</summary>
    /// <param name="key">The entry's key.</param>
    /// <returns>The texts; none where there is no such entry.</returns>
    /// <exception cref="GraphException">The entry is something else.</exception>
    internal IReadOnlyDictionary<string, string> TextsOf(string key)
    {
        if (!Metadata.TryGetValue(key, out var text))
            return ImmutableDictionary<string, string>.Empty;
        try
        {
            return JsonSerializer.Deserialize<Dictionary<string, string>>(text) is { } texts && !texts.ContainsValue(null!)
                ? texts
                : throw new JsonException("An entry is null.");
        }
        catch (JsonException e)
        {
            throw new GraphException(
                $"The model's metadata entry '{key}' is not a JSON object of names; remove it, and give the names anew.", e);
        }
    }

    /// <summary>A copy whose graph can be edited on its own; the tensors' bytes are shared.</summary>
    /// <returns>The copy.</returns>
    public Model Clone()
    {
        var copy = new Model(GraphCopy.Of(Graph), new(Opsets, StringComparer.Ordinal))
        {
            IrVersion = IrVersion,
            ProducerName = ProducerName,
            ProducerVersion = ProducerVersion,
            Unmodelled = Unmodelled,
        };
        foreach (var (key, value) in Metadata)
            copy.Metadata[key] = value;
        foreach (var (name, original) in OriginalNames)
            copy.OriginalNames[name] = original;
        return copy;
    }
}
