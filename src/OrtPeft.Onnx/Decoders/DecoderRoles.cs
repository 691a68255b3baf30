using OrtPeft.Tensors;

namespace OrtPeft.Onnx.Decoders;

/// <summary>
/// The roles of a language model's inputs and outputs: by Optimum's names where the graph has them, else by what makes
/// and reads them. A role is null where nothing has it, or where it cannot be told.
/// </summary>
/// <param name="Ids">The tokens: what looks rows of the embedding up.</param>
/// <param name="Mask">Which tokens count.</param>
/// <param name="Positions">The tokens' places.</param>
/// <param name="Logits">The scores of the vocabulary: what the head's product makes.</param>
internal sealed record DecoderRoles(Value? Ids, Value? Mask, Value? Positions, Value? Logits)
{
    private static readonly string[] OtherWords = ["pos", "type", "segment", "mask", "label", "cache", "keep", "len"];

    private static readonly string[] OrderKeeping =
        ["Reshape", "Flatten", "Squeeze", "Unsqueeze", "Cast", "Identity", "Slice", "Clip", "Add", "Where"];

    /// <summary>Finds the roles; costs a walk from each output to the product that makes it.</summary>
    /// <param name="graph">The graph, best in canonical form: a head in another operator's dress is not seen.</param>
    public static DecoderRoles Of(Graph graph)
    {
        var tables = LookUps(graph);
        var ids = Input(graph, DecoderNames.Ids) ?? IdsAmong([.. tables.Keys.Where(static i => IsWholeNumbers(i) || IsChoices(i))]);
        long? vocabulary = ids is not null && tables.TryGetValue(ids, out var rows) ? rows : null;
        return new DecoderRoles(
            ids,
            Input(graph, DecoderNames.Mask) ?? Only(graph.Inputs.Where(i => i != ids && IsMask(i))),
            Input(graph, DecoderNames.Positions) ?? Only(graph.Inputs.Where(i => i != ids && IsPlace(i, tables))),
            LogitsOf(graph, vocabulary, ids is not null && IsChoices(ids) ? 4 : 3));
    }

    /// <summary>The rows of the table that the tokens are looked up in, or null.</summary>
    public static long? EmbeddingRows(Graph graph) =>
        Input(graph, DecoderNames.Ids) is { } ids && LookUps(graph).TryGetValue(ids, out var rows) ? rows : null;

    /// <summary>The outputs that a person may have meant by logits, for messages.</summary>
    public static IEnumerable<Value> Candidates(Graph graph) => Candidates(graph, 3);

    /// <summary>Whether an input takes ids [batch, choices, sequence], as the Model Zoo's GPT-2 and HF's models of multiple
    /// choice do.</summary>
    /// <param name="input">A graph input.</param>
    public static bool IsChoices(Value input) =>
        input is { Type: ElementType.Int64 or ElementType.Int32, Initializer: null, Shape.Rank: 3 };

    private static IEnumerable<Value> Candidates(Graph graph, int rank) =>
        graph.Outputs.Where(o => IsNumbers(o) && !IsCache(o, rank));

    private static Value? Input(Graph graph, string name) =>
        graph.Inputs.FirstOrDefault(i => i.Name == name && i.Initializer is null);

    private static Value? Only(IEnumerable<Value> values) => values.Take(2).ToArray() is [var one] ? one : null;

    private static bool Says(Value value, string word) =>
        value.Name.Contains(word, StringComparison.OrdinalIgnoreCase);

    private static bool IsWholeNumbers(Value input) =>
        input is { Type: ElementType.Int64 or ElementType.Int32, Initializer: null, Shape: null or { Rank: 2 } };

    private static Value? IdsAmong(IReadOnlyList<Value> candidates) =>
        Only(candidates.Where(static c => !OtherWords.Any(word => Says(c, word))));

    /// <summary>A padding mask is another thing: it says which tokens do not count.</summary>
    private static bool IsMask(Value input) =>
        input is { Initializer: null, Shape: null or { Rank: 2 or 3 or 4 } }
        && Says(input, "mask") && !Says(input, "head") && !Says(input, "pad");

    private static bool IsPlace(Value input, Dictionary<Value, long> tables) =>
        IsWholeNumbers(input) && !Says(input, "cache")
        && (Says(input, "pos") || (tables.ContainsKey(input) && !OtherWords.Any(word => Says(input, word))));

    /// <summary>The inputs that look rows of constant tables up, and the tables' rows.</summary>
    private static Dictionary<Value, long> LookUps(Graph graph)
    {
        var found = new Dictionary<Value, long>();
        foreach (var node in graph.Nodes.Where(static n => n.OpType.StartsWith("Gather", StringComparison.Ordinal)))
        {
            if (node.Input(0)?.Constant is not { Dims: [var rows, _, ..] } table || node.Attributes.Int("axis", 0) != 0
                || (node.Domain.Length == 0 && !table.Type.IsFloating()))
                continue;
            if (SourceOf(node.Input(1)) is { } input && rows > found.GetValueOrDefault(input))
                found[input] = rows;
        }

        return found;
    }

    /// <summary>The input whose numbers a value is, in their order.</summary>
    private static Value? SourceOf(Value? value)
    {
        var steps = 0;
        while (value is { IsGraphInput: false, Producer: { Domain: "" } node } && steps++ < 16)
        {
            var read = OrderKeeping.Contains(node.OpType) ? node.Inputs.Where(static i => i?.Constant is null) : [];
            value = node.Is("Where") ? read.LastOrDefault() : read.FirstOrDefault();
        }

        return value is { IsGraphInput: true } ? value : null;
    }

    private static Value? LogitsOf(Graph graph, long? vocabulary, int rank)
    {
        if (graph.Outputs.FirstOrDefault(static o => o.Name == DecoderNames.Logits) is { } named)
            return named;
        var behindHeads = Candidates(graph, rank)
            .Where(o => o.Shape is null || o.Shape.Rank is 2 or 3 || o.Shape.Rank == rank)
            .Select(static o => (Output: o, Width: HeadWidth.Behind(o)))
            .Where(static o => o.Width is not null).ToArray();
        return Only(behindHeads.Where(o => o.Width == vocabulary).Select(static o => o.Output))
            ?? Only(behindHeads.Select(static o => o.Output))
            ?? BehindOwnLoss(graph.Outputs);
    }

    private static bool IsNumbers(Value output) =>
        (output.Type == ElementType.Undefined || output.Type.IsFloating()) && output.Shape is not { Rank: 0 };

    private static bool IsCache(Value output, int rank) =>
        output.Name.StartsWith(DecoderNames.Present, StringComparison.Ordinal) || output.Shape?.Rank > rank;

    /// <summary>Where a graph begins with a loss of its own, the logits come last.</summary>
    private static Value? BehindOwnLoss(IReadOnlyList<Value> outputs) =>
        outputs is [{ Shape.Rank: 0 }, ..]
            ? outputs.LastOrDefault(static o => o.Shape?.Rank == 3 && o.Type.IsFloating())
            : null;
}
