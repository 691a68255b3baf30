using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Tensors;

namespace OrtPeft.Compilation.Memory;

/// <summary>A training graph's memory, and what is done to reduce it.</summary>
/// <param name="Weights">Constants, as the graph reads them, the trained numbers, their gradients and the optimiser's state.
/// Bytes.</param>
/// <param name="Activations">The most that values take at a time. Bytes.</param>
/// <param name="Again">The share of the forward pass whose products are run again for the gradient rather than kept, from
/// 0 to 1.</param>
public sealed record MemoryPlan(long Weights, long Activations, double Again)
{
    /// <summary>The process itself, ONNX Runtime's sessions, and what kernels keep. Bytes.</summary>
    public const long Process = 224L << 20;

    /// <summary>Shares are tried in as many steps.</summary>
    private const int Steps = 16;

    /// <summary>All of it; an estimate. Bytes.</summary>
    public long Total => Process + Weights + Activations;

    /// <summary>Rewrites a training graph until it fits into a limit, at the least cost.</summary>
    /// <param name="model">The graph; edited in place.</param>
    /// <param name="part">The most that it is given at once.</param>
    /// <param name="limit">Bytes; null for none.</param>
    /// <param name="canRunAgain">Whether the session runs the operator that lets second runs wait.</param>
    /// <param name="last">Rewrites it once that is chosen.</param>
    /// <param name="state">What the optimiser keeps. Bytes; null for two numbers for every trained one.</param>
    /// <returns>What it takes; null where the graph's lengths do not tell.</returns>
    /// <exception cref="SettingException">It does not fit, and the message tells what would; or nobody can tell whether
    /// it does.</exception>
    internal static MemoryPlan? Fit(
        Model model, PartSize part, long? limit, bool canRunAgain, Action<Model> last, long? state = null)
    {
        if (!GraphMemory.IsTold(model.Graph, GraphLengths.Of(model.Graph, part)))
        {
            if (limit is not null)
            {
                throw new SettingException(
                    "MemoryLimit: the lengths of this graph's values do not follow from those of its inputs, so what it "
                    + "takes is not known; train without it.");
            }

            last(model);
            return null;
        }

        var (none, all) = (0, Steps);
        var plan = limit is null ? null : Tried(0);
        if (limit is null || plan!.Total <= limit)
            return Done(model, 0);
        var least = canRunAgain ? Tried(1) : plan;
        if (least.Total > limit)
        {
            throw new SettingException(
                $"Training takes at least {Megabytes(least.Total)} MB ({Megabytes(least.Weights)} for weights, "
                + $"{Megabytes(least.Activations)} for activations of {part.Rows} x {part.Tokens} tokens), more than the "
                + $"MemoryLimit of {Megabytes(limit.Value)} MB; shorten rows, use bf16 or quantize the base.");
        }

        while (all - none > 1)
        {
            var middle = (none + all) / 2;
            if (Tried((double)middle / Steps).Total <= limit)
                all = middle;
            else
                none = middle;
        }

        return Done(model, (double)all / Steps);

        MemoryPlan Tried(double share) => Done(model.Clone(), share);

        MemoryPlan Done(Model rewritten, double share)
        {
            if (share > 0)
                Recomputation.Run(GraphBuilder.Over(rewritten), place => place < share ? Cost.Product : Cost.Pass);
            rewritten.Graph.RemoveDeadCode();
            last(rewritten);
            return Of(rewritten, part, share, state);
        }
    }

    private static MemoryPlan Of(Model model, PartSize part, double share, long? state)
    {
        var (graph, lengths) = (model.Graph, GraphLengths.Of(model.Graph, part));
        var constants = graph.Initializers.Select(static v => v.Initializer!.Data).Distinct().Sum(static d => d.Length);
        var trained = graph.Outputs.Sum(o => GraphMemory.BytesOf(o, lengths));
        return new MemoryPlan(
            constants + (2 * trained) + (state ?? 2 * trained), GraphMemory.PeakOf(graph, lengths), share);
    }

    private static long Megabytes(long bytes) => (bytes + 999_999) / 1_000_000;
}
