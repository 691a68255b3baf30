using System.Runtime.InteropServices;
using OrtPeft.Adapters.Modules;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Tensors;

namespace OrtPeft.Adapters.TrainableTokens;

/// <summary>
/// An embedding some of whose rows train. Everything that reads its matrix sees the new rows: look-ups take them by
/// token, and a tied head multiplies by the matrix with its rows replaced.
/// </summary>
/// <param name="Module">The embedding.</param>
/// <param name="Tokens">The rows' numbers, each once, in the order of the trained tensor.</param>
/// <param name="Head">The head that is tied to the embedding, or null.</param>
internal sealed record TokenTarget(EmbeddingModule Module, IReadOnlyList<int> Tokens, LinearModule? Head)
{
    /// <summary>The base's rows, [n, features] float32.</summary>
    public Tensor BaseRows()
    {
        var (width, rows) = ((int)Module.Features, new float[checked(Tokens.Count * Module.Features)]);
        var matrix = Module.Weight.Initializer!.Data;
        for (var i = 0; i < Tokens.Count; i++)
        {
            var row = MemoryMarshal.AsBytes(rows.AsSpan(i * width, width));
            matrix.Read((long)Tokens[i] * row.Length, row);
        }

        return Tensor.Of<float>(rows, [Tokens.Count, width]);
    }

    /// <summary>Makes everything that reads the matrix see rows of their own.</summary>
    /// <param name="g">Adds nodes.</param>
    /// <param name="rows">The rows, [n, features].</param>
    public void Inject(GraphBuilder g, Value rows)
    {
        var lookups = Module.Weight.Uses.Where(static u => u.Node.Is("Gather") && u.Index == 0)
            .Select(static u => u.Node).ToArray();
        if (Head is not null)
            InjectInto(Head, g, rows);
        foreach (var lookup in lookups)
            InjectInto(Module with { Node = lookup }, g, rows);
    }

    /// <summary>Puts trained rows into the base.</summary>
    public void Merge(Graph graph, Tensor rows)
    {
        var (width, numbers) = ((int)Module.Features, rows.ToFloat32());
        var matrix = Module.Weight.Initializer!.ToFloat32();
        for (var i = 0; i < Tokens.Count; i++)
            numbers.AsSpan(i * width, width).CopyTo(matrix.AsSpan(Tokens[i] * width));
        var copy = Head is null || Head.Weight == Module.Weight ? null : Head;
        graph.SetInitializer(Module.Weight, Tensor.Of<float>(matrix, Module.Weight.Initializer!.Dims.AsSpan()));
        if (copy is null)
            return;
        var head = copy.Weight.Initializer!.ToFloat32();
        var count = (int)copy.OutFeatures;
        for (var i = 0; i < Tokens.Count; i++)
        {
            for (var j = 0; j < width; j++)
                head[copy.IsOutByIn ? (Tokens[i] * width) + j : (j * count) + Tokens[i]] = numbers[(i * width) + j];
        }

        graph.SetInitializer(copy.Weight, Tensor.Of<float>(head, copy.Weight.Initializer!.Dims.AsSpan()));
    }

    /// <summary>Where the token is a trained one, its row is read in place of the base's.</summary>
    private void InjectInto(EmbeddingModule lookup, GraphBuilder g, Value rows)
    {
        var (isTrained, places) = (new bool[Module.Entries], new long[Module.Entries]);
        foreach (var (place, token) in Tokens.Index())
            (isTrained[token], places[token]) = (true, place);
        var graft = new ModuleGraft(g, lookup, "/tokens");
        var ids = g.Reshape(graft.Input(), -1);
        var own = g.Gather(rows, g.Gather(g.Constant(Tensor.Of<long>(places, [places.Length]), "places"), ids));
        var trains = g.Gather(g.Constant(Tensor.Of<bool>(isTrained, [isTrained.Length]), "is_trained"), ids);
        graft.ReplaceProduct(looked => g.Where(g.Unsqueeze(trains, 1), own, looked));
    }

    private void InjectInto(LinearModule head, GraphBuilder g, Value rows)
    {
        var isDirect = head.Node.Inputs[1] == head.Weight;
        var reader = isDirect ? head.Node : head.Node.Inputs[1]!.Producer!;
        g.Scope = $"/tokens/{head.Name}";
        g.Before = reader;
        var places = g.Constant(Tensor.Of<long>([.. Tokens.Select(static t => (long)t)], [Tokens.Count, 1]), "tokens");
        var matrix = ReplacedRows.Make(g, Module.Weight, places, rows);
        reader.SetInput(isDirect ? 1 : 0, head.IsOutByIn ? matrix : g.Transpose(matrix, 1, 0));
        g.Before = null;
    }
}
