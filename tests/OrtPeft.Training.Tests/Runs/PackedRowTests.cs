using OrtPeft.Models;
using OrtPeft.Testing;
using OrtPeft.Training.Data;

namespace OrtPeft.Training.Tests.Runs;

/// <summary>A packed row has the loss of its sequences as rows of their own: none sees another.</summary>
public sealed class PackedRowTests
{
    [Fact]
    public void Evaluate_OfAPack_IsThatOfItsSequences()
    {
        var model = ModelSource.Open(Path.Combine(Fixtures.Folder, "base", "g2l")).Model;
        using var evaluator = new Evaluator(model);
        var apart = new TokenDataset([new([5, 6, 7], [5, 6, 7]), new([8, 9, 10, 11, 12], [8, 9, 10, 11, 12])]);
        var packed = new TokenDataset(
            [new([5, 6, 7, 8, 9, 10, 11, 12], [5, 6, 7, 8, 9, 10, 11, 12], null, [0, 1, 2, 0, 1, 2, 3, 4])]);

        var (expected, found) = (evaluator.Evaluate(apart), evaluator.Evaluate(packed));

        Assert.Equal(expected.Count, found.Count);
        Assert.Equal(expected.Loss, found.Loss, 1e-6); // the batches are of one shape, so it is the same sum
    }
}
