using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Passes;

namespace OrtPeft.Compilation.Rewrites;

/// <summary>The nodes before a selection of rows that work row by row, and whose results nothing else needs.</summary>
internal sealed class RowRegion
{
    private readonly Node _pick;

    /// <summary>The region's nodes and their inputs with rows, last node first.</summary>
    private readonly OrderedDictionary<Node, IReadOnlyList<int>> _operands = [];

    /// <summary>The nodes that compute the lengths that the region's nodes reshape to; they go with those.</summary>
    private readonly HashSet<Node> _lengths = [];

    /// <summary>Other nodes that ask for the shape of a value of the region, by a value before it that has the same
    /// axes, the last perhaps excepted.</summary>
    private readonly Dictionary<Value, List<Node>> _questions = [];

    private RowRegion(Node pick) => _pick = pick;

    /// <summary>Whether rows that are not computed save a product.</summary>
    public bool HasProducts => _operands.Keys.Any(static n => n.Is("MatMul") || n.Is("Gemm"));

    /// <summary>Finds the region, from its end.</summary>
    /// <param name="pick">A <c>Gather</c> of a matrix's rows.</param>
    /// <returns>The region; empty where none of it can be picked earlier.</returns>
    public static RowRegion Before(Node pick)
    {
        var region = new RowRegion(pick);
        foreach (var node in pick.Graph!.Nodes.TakeWhile(n => n != pick).Reverse())
        {
            if (!region.Take(node) && node.Outputs.All(region.IsLength))
                region._lengths.Add(node);
        }

        return region;
    }

    /// <summary>Picks the rows of what enters the region; within it, they are those of matrices.</summary>
    public void Pick(GraphBuilder g)
    {
        (g.Before, g.Scope) = (_pick, _pick.Name);
        foreach (var (value, questions) in _questions.Where(q => !IsMade(q.Key)))
            Answer(g, value, questions);
        var picked = new Dictionary<Value, Value>();
        foreach (var (node, input) in Entries().ToArray())
        {
            var all = node.Inputs[input]!;
            if (!picked.TryGetValue(all, out var rows))
                picked.Add(all, rows = g.Gather(g.Reshape(all, -1, RowWise.Length(all)!.Value), _pick.Inputs[1]!));
            node.SetInput(input, rows);
        }

        foreach (var node in _operands.Keys.Reverse())
            Flatten(g, node);
        Replacement.Put(g, _pick, _pick.Inputs[0]!);
        g.Graph.RemoveDeadCode();
        g.Graph.SortTopologically();
    }

    /// <summary>Makes a node work on a matrix.</summary>
    private static void Flatten(GraphBuilder g, Node node)
    {
        if (node.Is("Reshape"))
        {
            g.Graph.ReplaceAllUsesWith(node.Output, node.Inputs[0]!);
            g.Graph.Remove(node);
            return;
        }

        if (node.Attributes.Contains("axis"))
            node.Attributes.Set(NodeAttribute.Of("axis", -1L));
        g.Shapes.Infer(node);
    }

    /// <summary>Tells those who asked for a shape from a value that keeps its rows.</summary>
    private static void Answer(GraphBuilder g, Value value, IEnumerable<Node> questions)
    {
        foreach (var question in questions)
        {
            var length = RowWise.Length(question.Inputs[0]!)!.Value;
            if (length == RowWise.Length(value))
            {
                question.SetInput(0, value);
                continue;
            }

            var leading = g.Op("Slice", g.Shape(value), g.Int64(0), g.Int64(-1));
            g.Graph.ReplaceAllUsesWith(question.Output, g.Concat(0, leading, g.Int64(length)));
        }
    }

    /// <summary>Adds a node to the region if it belongs there.</summary>
    private bool Take(Node node)
    {
        var value = node.Output;
        if (value.IsGraphOutput || !value.Uses.Any(IsOfRows)
            || !value.Uses.All(u => IsOfRows(u) || _lengths.Contains(u.Node) || IsQuestion(u)))
            return false;
        var operands = RowWise.Operands(node);
        Node[] questions =
            [.. value.Uses.Where(IsQuestion).Select(static u => u.Node), .. _questions.GetValueOrDefault(value, [])];
        if (operands.Count == 0 || (questions.Length > 0 && (node.Is("Reshape") || RowWise.Length(value) is null)))
            return false;
        _operands.Add(node, operands);
        if (questions.Length > 0)
            Ask(node.Inputs[operands[0]]!, questions);
        return true;
    }

    /// <summary>The inputs of the region's nodes that come from elsewhere.</summary>
    private IEnumerable<Use> Entries() => _operands
        .SelectMany(static o => o.Value.Select(i => new Use(o.Key, i)))
        .Where(u => !IsMade(u.Node.Inputs[u.Index]!));

    private bool IsMade(Value value) => value.Producer is { } node && _operands.ContainsKey(node);

    private bool IsOfRows(Use use) => use.Node == _pick
        ? use.Index == 0
        : _operands.TryGetValue(use.Node, out var rows) && rows.Contains(use.Index);

    private bool IsQuestion(Use use) =>
        use.Node.Is("Shape") && use.Node.Attributes.Count == 0 && !_lengths.Contains(use.Node);

    /// <summary>Whether a value goes nowhere but into lengths to reshape to.</summary>
    private bool IsLength(Value value) => !value.IsGraphOutput && value.Uses.All(u => _lengths.Contains(u.Node)
        || (u.Index == 1 && u.Node.Is("Reshape") && _operands.ContainsKey(u.Node)));

    private void Ask(Value value, IEnumerable<Node> questions)
    {
        if (!_questions.TryGetValue(value, out var all))
            _questions.Add(value, all = []);
        all.AddRange(questions);
    }
}
