using OrtPeft.Onnx;
using OrtPeft.Onnx.Quantization;
using OrtPeft.Tensors;

namespace OrtPeft.Adapters.Modules;

/// <summary>
/// LoRA that a graph has already: y + s·(x·A)·B beside a layer's product y, or s·A[ids]·B beside an embedding, as exports
/// of HF PEFT's models without a merge, ONNX Runtime GenAI's builder, slots with weights in them and <c>merge --as
/// branches</c> have it. It is found by its form, whatever it is called. Such pairs are no layers of their own: they are
/// a part of the base, and stay as they are.
/// </summary>
internal sealed class LoraInGraph
{
    private const int Summands = 64;

    private static readonly HashSet<string> KeepNumbers =
        ["Cast", "Identity", "Dropout", "Reshape", "Flatten", "Squeeze", "Unsqueeze"];

    private readonly HashSet<Node> _factors = [];
    private readonly HashSet<Node> _bases = [];

    private LoraInGraph()
    {
    }

    /// <summary>Looks for such pairs. Linear in the graph's size.</summary>
    /// <param name="graph">The graph, in canonical form.</param>
    public static LoraInGraph Of(Graph graph)
    {
        var found = new LoraInGraph();
        foreach (var up in graph.Nodes.Where(IsProduct))
            found.Add(up);
        return found;
    }

    /// <summary>Whether a node multiplies by A or B of such a pair, or looks A up.</summary>
    public bool IsFactor(Node node) => _factors.Contains(node);

    /// <summary>Whether the result of a layer's product or of an embedding's look-up has such a pair added to it.</summary>
    public bool IsBeside(Node node) => _bases.Contains(node);

    /// <summary>The same of a look-up of tokens, whose rows may be made numbers of after they are picked.</summary>
    public bool IsBeside(TokenLookUp lookUp) => IsBeside(lookUp.Rows.Producer!) || IsBeside(lookUp.Node);

    private void Add(Node up)
    {
        if (Before(up.Inputs[0]) is not { Producer: { } down } low || low.Uses.Count != 1
            || !(IsProduct(down) || IsLookUp(down)))
            return;
        foreach (var sum in SumsAfter(up))
        {
            if (Bases(sum, down).ToList() is not { Count: > 0 } bases)
                continue;
            _bases.UnionWith(bases);
            _factors.UnionWith([up, down]);
        }
    }

    /// <summary>A product by a constant matrix.</summary>
    private static bool IsProduct(Node node) =>
        (node.Is("MatMul") || node.Is("Gemm")) && node.Input(0) is { Constant: null } && node.Input(1) is { } weight
        && ConstantWeight.DimsOf(Stored(weight)) is [_, _];

    private static bool IsLookUp(Node node) => node.Is("Gather") && node.Attributes.Int("axis", 0) == 0
        && node.Input(0) is { } table && Stored(table).Constant is { Dims.Length: 2 } stored && stored.Type.IsFloating();

    /// <summary>The matrix as it is stored, which the graph may turn.</summary>
    private static Value Stored(Value matrix) =>
        matrix.Producer is { } turn && turn.Is("Transpose") ? turn.Inputs[0]! : matrix;

    /// <summary>The value that another is but for its axes, type, dropout and scale.</summary>
    private static Value? Before(Value? value)
    {
        while (value?.Producer is { Domain: "" } node && (KeepNumbers.Contains(node.OpType) || IsScale(node)))
            value = node.Inputs.FirstOrDefault(static i => i is { Constant: null });
        return value;
    }

    private static bool IsScale(Node node) => (node.Is("Mul") || node.Is("Div"))
        && node.Inputs.Count(static i => i is { Constant.Count: 1 }) == 1;

    /// <summary>The sums that a factor's result goes into, scaled, put beside others or cut.</summary>
    private static IEnumerable<Node> SumsAfter(Node up)
    {
        var seen = new HashSet<Node> { up };
        var open = new Queue<Node>([up]);
        while (open.TryDequeue(out var node))
        {
            foreach (var next in node.Outputs.SelectMany(static o => o.Uses).Select(static u => u.Node))
            {
                if (next.Domain.Length > 0 || !seen.Add(next))
                    continue;
                if (next.Is("Add"))
                    yield return next;
                else if (KeepNumbers.Contains(next.OpType) || next.OpType is "Concat" or "Split" || IsScale(next))
                    open.Enqueue(next);
            }
        }
    }

    /// <summary>The products, or look-ups, that are added up with it and read what the pair reads.</summary>
    private static IEnumerable<Node> Bases(Node sum, Node down)
    {
        var last = sum;
        while (last.Output is { IsGraphOutput: false, Uses: [{ Node: var next }] } && next.Is("Add"))
            last = next;
        var isLookUp = IsLookUp(down);
        var read = Before(down.Inputs[isLookUp ? 1 : 0]);
        var (seen, open) = (new HashSet<Node> { last }, new Queue<Node>([last]));
        while (open.TryDequeue(out var node) && seen.Count < Summands)
        {
            foreach (var summand in node.Inputs.Select(Unmoved).OfType<Node>().Where(seen.Add))
            {
                if (summand.Is("Add"))
                    open.Enqueue(summand);
                else if (isLookUp ? IsLookUp(summand) && Before(summand.Inputs[1]) == read
                    : IsProduct(summand) && Before(summand.Inputs[0]) == read)
                    yield return summand;
            }
        }
    }

    /// <summary>The node that made a summand's numbers, in whatever axes.</summary>
    private static Node? Unmoved(Value? value)
    {
        while (value?.Producer is { Domain: "" } node && KeepNumbers.Contains(node.OpType))
            value = node.Inputs[0];
        return value?.Producer;
    }
}
