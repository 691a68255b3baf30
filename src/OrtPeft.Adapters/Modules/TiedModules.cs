using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Tensors;

namespace OrtPeft.Adapters.Modules;

/// <summary>
/// An embedding and the head that is tied to it, saved as one module: HF PEFT's <c>ensure_weight_tying</c>. One matrix
/// trains, and files hold it under both names.
/// </summary>
/// <param name="Embedding">The embedding's matrix, which trains.</param>
/// <param name="Head">The tied head.</param>
internal sealed record TiedModules(SavedParameter Embedding, LinearModule Head)
{
    /// <summary>The pair that a configuration ties; null where it asks for none, or the model's are not tied.</summary>
    /// <param name="model">The model, with or without the adapter.</param>
    /// <param name="config">The configuration.</param>
    public static TiedModules? Of(Model model, PeftConfig config) =>
        config.EnsuresWeightTying && IsMeant(config.SavedModuleNames) ? Of(model) : null;

    /// <summary>Whether one of some names is an embedding's or a head's to HF PEFT.</summary>
    public static bool IsMeant(IEnumerable<string> names) =>
        names.Any(static n => HfName.EmbeddingLayers.Contains(n.Split('.')[^1]));

    /// <summary>A model's embedding with a tied head; null where there is none.</summary>
    public static TiedModules? Of(Model model) => EmbeddingCatalogue.Embeddings(model.Graph)
        .Select(e => TiedHead.Of(model, e) is { } head ? new TiedModules(SavedParameter.Of(e), head) : null)
        .FirstOrDefault(static pair => pair is not null);

    /// <summary>The one matrix; a head that an exporter stored once more reads it too.</summary>
    public Value Joined(GraphBuilder g)
    {
        if (Head.Weight == Embedding.Value && !Embedding.IsTransposed)
            return Embedding.Value;
        var joined = Embedding.IsTransposed ? Embedding.Own(g) : Embedding.Value;
        var isDirect = Head.Node.Inputs[1] == Head.Weight;
        var reader = isDirect ? Head.Node : Head.Node.Inputs[1]!.Producer!;
        g.Before = reader;
        reader.SetInput(isDirect ? 1 : 0, Head.IsOutByIn ? joined : g.Transpose(joined, 1, 0));
        g.Before = null;
        return joined;
    }

    /// <summary>The same pair in a copy of the graph.</summary>
    /// <exception cref="ConfigException">The copy lacks one of the two.</exception>
    public TiedModules In(Graph copy) =>
        new(Counterparts.Of([Embedding], copy)[0], Counterparts.Of(Head, copy));

    /// <summary>Gives both the trained matrix.</summary>
    public void Fold(Graph graph, Tensor trained)
    {
        Embedding.Replace(graph, trained);
        if (Head.Weight != Embedding.Value)
            SavedParameter.Of(Head).First().Replace(graph, trained);
    }
}
