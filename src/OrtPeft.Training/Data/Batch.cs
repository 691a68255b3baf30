using OrtPeft.Tensors;

namespace OrtPeft.Training.Data;

/// <summary>Some rows as a model is fed with them, from the data set to the session.</summary>
/// <param name="Feeds">Tensors by input name; inputs that a graph does not have are left out when it runs. Of token
/// rows they are <c>[rows, columns] int64</c>, the columns being the longest row's tokens.</param>
/// <param name="SupervisedCount">The number of elements that the loss counts: labels in columns 1 and up, or
/// predictions. It may be 0.</param>
/// <param name="Tokens">The number of tokens (ones in the mask) or rows that are worked on, for speeds.</param>
public sealed record Batch(IReadOnlyDictionary<string, Tensor> Feeds, long SupervisedCount, long Tokens)
{
    /// <summary>Rows whose first token has a label: nothing predicts it unless virtual tokens precede it.</summary>
    public long SupervisedFirstTokens { get; init; }

    /// <summary>The number of elements that the loss of a given model counts.</summary>
    /// <param name="virtualTokens">The number of positions that the model has before the first token.</param>
    /// <returns>The number.</returns>
    public long CountFor(int virtualTokens) => SupervisedCount + (virtualTokens > 0 ? SupervisedFirstTokens : 0);
}
