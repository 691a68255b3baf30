using OrtPeft.Cli.Errors;
using OrtPeft.Models;

namespace OrtPeft.Cli.Data;

/// <summary>The limits that rows must fit into, as far as a model says.</summary>
internal static class ModelLimits
{
    /// <summary>The positions that are left beside an adapter's own.</summary>
    /// <param name="source">The model.</param>
    /// <param name="reserved">How many positions the adapter takes.</param>
    /// <exception cref="UsageException">None is left.</exception>
    public static int? ContextLength(ModelSource source, int reserved)
    {
        var all = source.ContextLength;
        if (all <= reserved)
        {
            throw new UsageException(
                $"The adapter has {reserved} virtual tokens and the model {all} positions, so none is left for tokens; "
                + "take fewer with --num-virtual-tokens.");
        }

        return all - reserved;
    }
}
