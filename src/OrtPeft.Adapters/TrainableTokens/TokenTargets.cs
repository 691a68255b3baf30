using OrtPeft.Adapters.Decoders;
using OrtPeft.Adapters.Modules;
using OrtPeft.Onnx;
using OrtPeft.Tensors;

namespace OrtPeft.Adapters.TrainableTokens;

/// <summary>Finds the embeddings that a choice of tokens means.</summary>
internal static class TokenTargets
{
    /// <summary>Finds them in a graph without an adapter. A tied head may be named beside its embedding, with the same
    /// tokens.</summary>
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

            Check(module, entry.Value, field);
            if (targets.Any(t => t.Module.Weight == module.Weight))
                throw new ConfigException($"{field} has {module.Name} twice; put its tokens into one list.");
            targets.Add(new TokenTarget(module, entry.Value, TiedHead.Of(model, module.Weight)));
        }

        foreach (var (name, tokens) in others)
        {
            var ofHead = targets.Where(t => t.Head is { } head && TargetSelector.EndsWith(head.Name, name));
            if (!ofHead.Any(t => t.Tokens.SequenceEqual(tokens)))
                throw NoEmbedding(name, embeddings, field);
        }

        return targets;
    }

    private static EmbeddingModule InputEmbedding(
        Graph graph, IReadOnlyList<EmbeddingModule> embeddings, string field)
    {
        var ids = graph.Inputs.FirstOrDefault(static i => i.Name == "input_ids");
        var lookup = ids is null ? null : TokenEmbedding.LookUpOf(graph, ids);
        var found = lookup is null && embeddings is [var only]
            ? only
            : embeddings.FirstOrDefault(e => lookup is not null && e.Weight == lookup.Inputs[0]);
        return found ?? throw new ConfigException(
            $"{field} does not say which embedding, and no Gather looks input_ids up in a float matrix; name one of "
            + $"{Names(embeddings)}.");
    }

    private static void Check(EmbeddingModule module, IReadOnlyList<int> tokens, string field)
    {
        if (tokens.Count == 0)
            throw new ConfigException($"{field} has no tokens for {module.Name}; give at least one.");
        foreach (var token in tokens)
        {
            if (token < 0 || token >= module.Entries)
                throw new ConfigException(
                    $"{field} has token {token}; {module.Name} has the rows 0 to {module.Entries - 1}.");
        }

        if (tokens.GroupBy(static t => t).FirstOrDefault(static g => g.Count() > 1) is { } twice)
            throw new ConfigException($"{field} has token {twice.Key} twice; give each once.");
        if (module.Weight.Type != ElementType.Float)
            throw new ConfigException($"{module.Name} is {module.Weight.Type}; its rows train in Float only.");
    }

    private static ConfigException NoEmbedding(
        string name, IReadOnlyList<EmbeddingModule> embeddings, string field) => new(
        $"{field} has '{name}', which is no embedding of the model, nor a head tied to one with the same tokens; "
        + $"embeddings are {Names(embeddings)}.");

    private static string Names(IEnumerable<EmbeddingModule> embeddings) =>
        string.Join(", ", embeddings.Select(static e => e.Name).DefaultIfEmpty("none"));
}
