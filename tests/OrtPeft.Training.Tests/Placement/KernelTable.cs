using OrtPeft.Onnx;
using OrtPeft.Tensors;

namespace OrtPeft.Training.Tests.Placement;

/// <summary>The kernels that an execution provider registers, from ONNX Runtime's own tables; each file names its source.
/// Operators that training graphs have no use for are left out.</summary>
internal sealed class KernelTable
{
    private readonly ILookup<(string Domain, string Operator), Row> _rows;

    private KernelTable(IEnumerable<Row> rows) => _rows = rows.ToLookup(static r => (r.Domain, r.Operator));

    /// <summary>The table of a provider.</summary>
    public static KernelTable Of(string provider)
    {
        var type = typeof(KernelTable);
        using var stream = type.Assembly.GetManifestResourceStream($"Placement/{provider}.tsv")!;
        using var reader = new StreamReader(stream);
        var lines = reader.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries);
        return new KernelTable(lines.Where(static l => l[0] != '#').Skip(1).Select(static l => Row.Parse(l.Split('\t'))));
    }

    /// <summary>Whether the provider has a kernel for a node, by the types of what it reads that counts.</summary>
    public bool Has(Node node, int opset, Func<Value, bool> counts)
    {
        var (domain, version) = node.Domain.Length == 0 ? ("ai.onnx", opset) : (node.Domain, 1);
        return _rows[(domain, node.OpType)].Any(r => r.Since <= version && (r.Until ?? int.MaxValue) >= version
            && node.Inputs.OfType<Value>().Where(counts).All(i => r.Types.Contains(NameOf(i.Type)))
            && (r.Note != "no reduction" || node.Attributes.String("reduction", "none") == "none"));
    }

    /// <summary>Whether a value may have more elements than a list of axes: such lists are on the CPU in any case.</summary>
    public static bool IsLarge(Value value) =>
        value.Shape is not { } shape || !shape.All(static d => d.Value is not null) || shape.Aggregate(1L, static (n, d) => n * d.Value!.Value) > 64;

    /// <summary>The name of a type in the tables.</summary>
    public static string NameOf(ElementType type) => type.ToString().ToLowerInvariant();

    private sealed record Row(
        string Domain, string Operator, int Since, int? Until, IReadOnlySet<string> Types, string Note)
    {
        public static Row Parse(string[] columns) => new(
            columns[0],
            columns[1],
            int.Parse(columns[2], System.Globalization.CultureInfo.InvariantCulture),
            columns[3].Length == 0 ? null : int.Parse(columns[3], System.Globalization.CultureInfo.InvariantCulture),
            columns[4].Split(';').SelectMany(static t => t[(t.IndexOf('=', StringComparison.Ordinal) + 1)..].Split(','))
                .ToHashSet(StringComparer.Ordinal),
            columns[5]);
    }
}
