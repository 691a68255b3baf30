using OrtPeft.Adapters.Modules;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Decoders;
using OrtPeft.Tensors;

namespace OrtPeft.Adapters.TrainableTokens;

/// <summary>Finds the embeddings that a choice of tokens means.</summary>
internal static class TokenTargets
{
    /// <summary>
    /// Finds them in a graph without an adapter. A head may be named too: tied to an embedding with the same tokens it
    /// is the embedding's, otherwise its rows train apart, as in HF PEFT.
    /// </summary>
    /// <exception cref="ConfigException">There is no such embedding or token, or a token is named twice.</exception>
    public static IReadOnlyList<TokenTarget> Resolve(Model model, TokenIndices indices, string field)
    {
        var graph = model.Graph;
        var embeddings = EmbeddingCatalogue.Embeddings(graph);
        var targets = new List<TokenTarget>();
        var others = new List<KeyValuePair<string, IReadOnlyList<int>>>();
        foreach (var entry in indices.Modules)
        {
            var module = indices.IsNamed
                ? embeddings.FirstOrDefault(e => TargetSelector.EndsWith(e.Name, entry.Key))
                : InputEmbedding(graph, embeddings, field);
            if (module is null)
            {
                others.Add(entry);
                continue;
            }

            if (targets.Any(t => t.Weight == module.Weight))
                throw new ConfigException($"{field} has {module.Name} twice; put its tokens into one list.");
            targets.Add(Checked(new TokenTarget(module, entry.Value, TiedHead.Of(model, module)), field));
        }

        foreach (var (name, tokens) in others)
            AddHead(targets, HeadNamed(graph, name) ?? throw NoEmbedding(graph, name, embeddings, field), tokens, field);
        return targets;
    }

    private static void AddHead(List<TokenTarget> targets, LinearModule head, IReadOnlyList<int> tokens, string field)
    {
        var tied = targets.FindIndex(t => t.Head?.Node == head.Node);
        if (tied >= 0 && targets[tied].Tokens.SequenceEqual(tokens))
            return;
        if (tied >= 0 && targets[tied].Module is null)
            throw new ConfigException($"{field} has {head.Name} twice; put its tokens into one list.");
        if (tied >= 0)
            targets[tied] = targets[tied] with { Head = null };
        targets.Add(Checked(new TokenTarget(null, tokens, head), field));
    }

    private static LinearModule? HeadNamed(Graph graph, string name) => ModuleCatalogue.LinearModules(graph)
        .FirstOrDefault(m => m.IsOutputLayer && TargetSelector.EndsWith(m.Name, name));

    private static EmbeddingModule InputEmbedding(
        Graph graph, IReadOnlyList<EmbeddingModule> embeddings, string field)
    {
        var ids = graph.Inputs.FirstOrDefault(static i => i.Name == DecoderNames.Ids);
        var lookUp = ids is null ? null : TokenLookUp.First(graph, ids);
        if (lookUp is { IsQuantized: true } && EmbeddingCatalogue.QuantizedName(graph) is { } quantized)
            throw OfQuantized(quantized, field);
        var found = lookUp is null && embeddings is [var only]
            ? only
            : embeddings.FirstOrDefault(e => lookUp is not null && e.Node.Inputs[0] == lookUp.Table);
        return found ?? throw new ConfigException(
            $"{field} does not say which embedding, and no Gather looks input_ids up in a float matrix; name one of "
            + $"{Names(embeddings)}.");
    }

    private static TokenTarget Checked(TokenTarget target, string field)
    {
        var tokens = target.Tokens;
        if (tokens.Count == 0)
            throw new ConfigException($"{field} has no tokens for {target.Name}; give at least one.");
        foreach (var token in tokens)
        {
            if (token < 0 || token >= target.Entries)
                throw new ConfigException(
                    $"{field} has token {token}; {target.Name} has the rows 0 to {target.Entries - 1}.");
        }

        if (tokens.GroupBy(static t => t).FirstOrDefault(static g => g.Count() > 1) is { } twice)
            throw new ConfigException($"{field} has token {twice.Key} twice; give each once.");
        if (target.Weight.Initializer is null)
            throw OfQuantized(target.Name, field);
        return target.Weight.Type == ElementType.Float
            ? target
            : throw new ConfigException($"{target.Name} is {target.Weight.Type}; its rows train in Float only.");
    }

    private static ConfigException OfQuantized(string module, string field) => new(
        $"{field} means {module}, whose matrix is quantised: trained rows would be rounded to its few bits when they are "
        + "merged; train on a float build of the model, or choose prompt-tuning.");

    private static ConfigException NoEmbedding(
        Graph graph, string name, IReadOnlyList<EmbeddingModule> embeddings, string field) =>
        EmbeddingCatalogue.QuantizedName(graph) is { } quantized && TargetSelector.EndsWith(quantized, name)
            ? OfQuantized(quantized, field)
            : new(
                $"{field} has '{name}', which is neither an embedding of the model nor its head; "
                + $"embeddings are {Names(embeddings)}.");

    private static string Names(IEnumerable<EmbeddingModule> embeddings) =>
        string.Join(", ", embeddings.Select(static e => e.Name).DefaultIfEmpty("none"));
}
