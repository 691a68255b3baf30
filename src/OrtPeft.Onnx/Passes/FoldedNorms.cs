using System.Text.RegularExpressions;
using OrtPeft.Onnx.Decoders;
using OrtPeft.Tensors;

namespace OrtPeft.Onnx.Passes;

/// <summary>
/// Names the scales of normalisations that multiply by 1 + weight, where exporters have folded the sum: the
/// dynamo exporter calls it after the addition, TorchScript's by a number, GenAI's builder like the weight, whose numbers it
/// does not have. What it is becomes a part of the name.
/// </summary>
internal static partial class FoldedNorms
{
    /// <summary>The end of the name, after the weight's.</summary>
    public const string Ending = "/plus_one";

    private const string Weight = ".weight";

    /// <summary>The start of the names that TorchScript's exporter gives to constants that it computed.</summary>
    private const string Folded = "onnx::";

    /// <summary>HF's <c>model_type</c>s.</summary>
    private static readonly string[] Families = ["gemma", "gemma2", "gemma3", "gemma3_text", "nemotron"];

    private static readonly string[] Norms = ["SimplifiedLayerNormalization", "LayerNormalization"];

    /// <summary>Runs the pass in place.</summary>
    /// <param name="model">The model; nodes keep the paths of the modules that they were exported from.</param>
    public static void Run(Model model)
    {
        ArgumentNullException.ThrowIfNull(model);
        var graph = model.Graph;
        var isOfFamily = Families.Contains(BuilderNames.FamilyOf(model));
        var isBuilders = isOfFamily && BuilderNames.Of(graph) is not null;
        SourcePaths? paths = null;
        foreach (var scale in graph.Initializers.Where(IsScale).ToArray())
        {
            var isBuilt = isBuilders && scale.Name.EndsWith(Weight, StringComparison.Ordinal);
            if (!isBuilt && !Sum().IsMatch(scale.Name)
                && !(isOfFamily && scale.Name.StartsWith(Folded, StringComparison.Ordinal)))
                continue;
            var isOwn = isBuilt && scale.Uses.Count == 1;
            foreach (var use in scale.Uses.ToArray())
            {
                var module = isOwn ? scale.Name[..^Weight.Length]
                    : ModuleOf((paths ??= SourcePaths.Of(graph)).OfScope(use.Node.Name));
                if (module is not null)
                    Name(graph, scale, use, module + Weight + Ending);
            }
        }
    }

    /// <summary>A normalisation's scale that is still a number without a name in the model: no family told what was folded
    /// into it. Null where there is none.</summary>
    /// <param name="graph">The graph, in canonical form.</param>
    public static string? Unnamed(Graph graph)
    {
        ArgumentNullException.ThrowIfNull(graph);
        return graph.Initializers.FirstOrDefault(static v => IsScale(v) && v.Name.StartsWith(Folded, StringComparison.Ordinal))?.Name;
    }

    /// <summary>Gives one normalisation its scale under a name, which sums of equal value were stored once for.</summary>
    private static void Name(Graph graph, Value scale, Use use, string name)
    {
        if (graph.Find(name) is not null)
            return;
        if (scale.Uses.Count == 1)
            graph.Rename(scale, name);
        else
            use.Node.SetInput(use.Index, graph.AddInitializer(name, scale.Initializer!.WithName(name)));
    }

    /// <summary>Without the name of the node that the normalisation was before it was lowered, or that its parts ended
    /// with before they were fused.</summary>
    private static string? ModuleOf(string? scope) => scope is null ? null : ExportersNode().Replace(scope, "");

    private static bool IsScale(Value value) => !value.IsGraphInput && !value.IsGraphOutput
        && value.Initializer is { Dims.Length: 1 } && value.Type.IsFloating()
        && value.Uses.Count > 0
        && value.Uses.All(static u => u is { Node.Domain: "", Index: 1 } && Norms.Contains(u.Node.OpType));

    [GeneratedRegex(
        @"(?:\.(?:node_[^.]*|(?:Mul|Cast|(?:Simplified)?LayerNormalization|RMSNormalization)(?:_[0-9]+)?))+$",
        RegexOptions.CultureInvariant)]
    private static partial Regex ExportersNode();

    /// <summary>The name that the dynamo exporter gives to the result of an addition.</summary>
    [GeneratedRegex(@"^add(?:_[0-9]+)?$", RegexOptions.CultureInvariant)]
    private static partial Regex Sum();
}
