using System.Runtime.InteropServices;
using OrtPeft.Adapters.Modules;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Tensors;
using OrtPeft.Tensors.Numerics;

namespace OrtPeft.Adapters.TrainableTokens;

/// <summary>
/// An embedding some of whose rows train, or a head alone. Everything that reads the embedding's matrix sees the new
/// rows: look-ups take them by token, and a tied head multiplies by the matrix with its rows replaced.
/// </summary>
/// <param name="Module">The embedding; null where the head's rows alone train.</param>
/// <param name="Tokens">The rows' numbers, each once, in the order of the trained tensor.</param>
/// <param name="Head">The head that is tied to the embedding or trains alone; null where no head changes.</param>
internal sealed record TokenTarget(EmbeddingModule? Module, IReadOnlyList<int> Tokens, LinearModule? Head)
{
    /// <summary>The path of the module that the trained tensor belongs to.</summary>
    public string Name => Module?.Name ?? Head!.Name;

    /// <summary>The matrix as stored.</summary>
    public Value Weight => Module?.Weight ?? Head!.Weight;

    /// <summary>The number of tokens that have a row.</summary>
    public long Entries => Module?.Entries ?? Head!.OutFeatures;

    /// <summary>The number of features of a row.</summary>
    public long Features => Module?.Features ?? Head!.InFeatures;

    /// <summary>The tied head's path, under which HF PEFT saves the rows once more; null where there is none.</summary>
    public string? TiedName => Module is null ? null : Head?.Name;

    /// <summary>The same embedding or head in a copy of the graph without the rows.</summary>
    /// <exception cref="ConfigException">The copy lacks it.</exception>
    public TokenTarget In(Graph copy) => this with
    {
        Module = Module is null ? null : Counterparts.Of(Module, copy),
        Head = Head is null ? null : Counterparts.Of(Head, copy),
    };

    /// <summary>The base's rows, [n, features] float32, copied when they are first read.</summary>
    public Tensor FirstRows()
    {
        var matrix = Weight.Initializer!;
        return InitialWeights.Promised(() => RowsOf(matrix), Tokens.Count, Features);
    }

    /// <summary>Whether the matrix is stored with a column for each token.</summary>
    private bool IsByColumns => Module?.IsTransposed ?? !Head!.IsOutByIn;

    private Tensor RowsOf(Tensor matrix)
    {
        var (width, rows) = ((int)Features, new float[checked(Tokens.Count * Features)]);
        if (IsByColumns)
        {
            var columns = matrix.ToFloat32();
            for (var i = 0; i < rows.Length; i++)
                rows[i] = columns[(i % width * Entries) + Tokens[i / width]];
            return Tensor.Of<float>(rows, [Tokens.Count, width]);
        }

        for (var i = 0; i < Tokens.Count; i++)
        {
            var row = MemoryMarshal.AsBytes(rows.AsSpan(i * width, width));
            matrix.Data.Read((long)Tokens[i] * row.Length, row);
        }

        return Tensor.Of<float>(rows, [Tokens.Count, width]);
    }

    /// <summary>Makes everything that reads the matrix see rows of their own.</summary>
    /// <param name="g">Adds nodes.</param>
    /// <param name="rows">The rows, [n, features].</param>
    public void Inject(GraphBuilder g, Value rows)
    {
        var lookups = Module is null
            ? []
            : EmbeddingCatalogue.LookUpsOf(Weight).ToArray();
        if (Head is not null)
            InjectInto(Head, g, rows);
        foreach (var lookup in lookups)
            InjectInto(Module! with { Node = lookup }, g, rows);
    }

    /// <summary>Puts trained rows into the base.</summary>
    public void Merge(Graph graph, Tensor rows)
    {
        if (Module is null)
        {
            ModuleWeights.Replace(graph, Head!, OfHead(Head!, rows));
            return;
        }

        var copy = Head is null || Head.Weight == Module.Weight ? null : Head;
        var matrix = Module.Weight.Initializer!.ToFloat32();
        Put(rows, matrix, !IsByColumns);
        var content = Tensor.Of<float>(matrix, Module.Weight.Initializer!.Dims.AsSpan());
        if (Head is null)
            ModuleWeights.Replace(graph, Module, content); // a head that reads the matrix keeps the base's
        else
            graph.SetInitializer(Module.Weight, content);
        if (copy is not null)
            graph.SetInitializer(copy.Weight, OfHead(copy, rows));
    }

    /// <summary>A head's matrix with the trained rows, in its own layout.</summary>
    private Tensor OfHead(LinearModule head, Tensor rows)
    {
        var numbers = head.Weight.Initializer!.ToFloat32();
        Put(rows, numbers, head.IsOutByIn);
        return Tensor.Of<float>(numbers, head.Weight.Initializer!.Dims.AsSpan());
    }

    private void Put(Tensor rows, float[] matrix, bool isByToken)
    {
        var (width, count, numbers) = ((int)Features, (int)Entries, rows.ToFloat32());
        for (var i = 0; i < numbers.Length; i++)
        {
            var (token, feature) = (Tokens[i / width], i % width);
            matrix[isByToken ? (token * width) + feature : (feature * count) + token] = numbers[i];
        }
    }

    /// <summary>Where the token is a trained one, its row is read in place of the base's.</summary>
    private void InjectInto(EmbeddingModule lookup, GraphBuilder g, Value rows)
    {
        var (isTrained, places) = (new bool[Entries], new long[Entries]);
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
        var ofBase = IsByColumns ? g.Constant(Transposing.Of(Weight.Initializer!), "matrix") : Weight;
        var matrix = ReplacedRows.Make(g, ofBase, places, rows);
        reader.SetInput(isDirect ? 1 : 0, head.IsOutByIn ? matrix : g.Transpose(matrix, 1, 0));
        g.Before = null;
    }
}
