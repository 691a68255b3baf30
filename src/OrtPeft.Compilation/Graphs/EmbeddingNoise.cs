using OrtPeft.Adapters;
using OrtPeft.Adapters.Modules;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Decoders;
using OrtPeft.Onnx.Passes;
using OrtPeft.Tensors;
using static OrtPeft.Onnx.Building.Formula;

namespace OrtPeft.Compilation.Graphs;

/// <summary>
/// NEFTune: what is looked up for the tokens gets even noise of up to α/√(sequence · width), other noise for every batch.
/// Virtual tokens get none.
/// </summary>
/// <seealso href="https://arxiv.org/abs/2310.05914">Jain et al., algorithm 1.</seealso>
internal static class EmbeddingNoise
{
    /// <summary>No dropout has this index.</summary>
    private const int Index = -1;

    /// <summary>Adds the noise.</summary>
    /// <param name="g">Builds in the model.</param>
    /// <param name="alpha">α, above 0.</param>
    /// <param name="seed">The input that fixes the noise; null where it is still to be added.</param>
    /// <returns>That input.</returns>
    /// <exception cref="ConfigException">The graph looks no tokens up.</exception>
    public static Value Add(GraphBuilder g, double alpha, Value? seed)
    {
        var ids = g.Graph.Inputs.FirstOrDefault(static i => i.Name == DecoderNames.Ids);
        if (ids?.Shape is not { Rank: 2 } || TokenLookUp.First(g.Graph, ids) is not { } lookUp)
            throw new ConfigException(
                $"Graph '{g.Graph.Name}': no Gather looks input_ids up in a constant matrix, so noise on the embeddings has no place; "
                + "train without it.");
        seed ??= SeededBits.AddSeed(g.Graph);
        var (found, users) = (lookUp.Rows, lookUp.Rows.Uses.ToArray());
        g.Before = g.Graph.Nodes.SkipWhile(n => n != found.Producer).Skip(1).FirstOrDefault();
        g.Scope = "/neftune";
        var x = g.Term(found);
        var (bits, shape) = SeededBits.Of(x, Index, seed);
        var length = Cast(g.Term(g.Gather(g.Shape(ids), g.Int64Scalar(1))), ElementType.Float);
        var width = lookUp.Width;
        var magnitude = alpha / Sqrt(length * width);
        var noise = ((Cast(bits, ElementType.Float) * Math.Pow(2, -31)) - 1) * magnitude;
        Value noisy = x + Cast(g.Term(g.ReshapeTo(noise, shape)), found.Type);
        (noisy.Type, noisy.Shape) = (found.Type, found.Shape);
        foreach (var (user, slot) in users)
            user.SetInput(slot, noisy);
        (g.Before, g.Scope) = (null, "");
        return seed;
    }
}
