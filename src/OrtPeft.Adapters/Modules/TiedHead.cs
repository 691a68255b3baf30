using System.Runtime.InteropServices;
using OrtPeft.Onnx;
using OrtPeft.Tensors;

namespace OrtPeft.Adapters.Modules;

/// <summary>
/// Finds the language-model head whose matrix is an embedding's: the same initializer, or, since exporters store it
/// once more as they need it, a copy or transpose of it.
/// </summary>
internal static class TiedHead
{
    private const int ComparedRows = 4;

    /// <summary>
    /// The head that an embedding is tied to, or null. Reads both matrices where they stand apart and the source does
    /// not say that they are two.
    /// </summary>
    /// <param name="model">The model, before any adapter is in it.</param>
    /// <param name="embedding">The embedding of tokens.</param>
    public static LinearModule? Of(Model model, EmbeddingModule embedding)
    {
        var head = ModuleCatalogue.LinearModules(model.Graph).FirstOrDefault(static m => m.IsOutputLayer);
        if (head is null || head.Weight == embedding.Weight)
            return head;
        var isApart = model.Metadata.GetValueOrDefault(MetadataKeys.TieWordEmbeddings) == "false";
        return !isApart && IsCopy(embedding.Weight, head, embedding.IsTransposed) ? head : null;
    }

    /// <summary>Whether a head has an embedding's numbers; a few rows tell most different matrices apart before all
    /// are read.</summary>
    /// <param name="embedding">The embedding's matrix.</param>
    /// <param name="head">The head.</param>
    /// <param name="isTransposed">Whether the embedding's is [features, entries].</param>
    public static bool IsCopy(Value embedding, LinearModule head, bool isTransposed = false)
    {
        var (ours, theirs) = (embedding.Initializer!, head.Weight.Initializer);
        if (theirs is not { Type: ElementType.Float } || ours is not { Type: ElementType.Float, Dims.Length: 2 })
            return false;
        var (rows, columns) = ((int)ours.Dims[isTransposed ? 1 : 0], (int)ours.Dims[isTransposed ? 0 : 1]);
        if (rows != head.OutFeatures || columns != head.InFeatures)
            return false;
        var areEqual = Equal(Math.Min(rows, ComparedRows)) && Equal(rows);
        GC.KeepAlive(ours);
        GC.KeepAlive(theirs);
        return areEqual;

        bool Equal(int count)
        {
            var a = Floats(ours);
            var b = Floats(theirs);
            for (var i = 0; i < count; i++)
            {
                for (var j = 0; j < columns; j++)
                {
                    if (!a[At(isTransposed, i, j)].Equals(b[At(!head.IsOutByIn, i, j)]))
                        return false;
                }
            }

            return true;
        }

        int At(bool isByColumns, int i, int j) => isByColumns ? (j * rows) + i : (i * columns) + j;
    }

    /// <summary>The numbers where they lie; the caller keeps the tensor alive.</summary>
    private static ReadOnlySpan<float> Floats(Tensor tensor) =>
        MemoryMarshal.Cast<byte, float>(tensor.Data.Window(0, checked((int)tensor.Data.Length)));
}
