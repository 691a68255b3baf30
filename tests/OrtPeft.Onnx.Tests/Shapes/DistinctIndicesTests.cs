using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Shapes;
using OrtPeft.Tensors;

namespace OrtPeft.Onnx.Tests.Shapes;

public sealed class DistinctIndicesTests
{
    [Theory]
    [InlineData(1, true)]
    [InlineData(2, false)]
    public void Are_OfPlacesOfAMask_IsKnownOfAVector(int rank, bool areDistinct)
    {
        var g = new GraphBuilder(new Model(21).Graph, new ShapeInference(21));
        Shape shape = [.. Enumerable.Repeat(Dim.Named("n"), rank)];
        var places = g.Op("NonZero", g.Graph.AddInput("mask", ElementType.Bool, shape));

        Assert.Equal(areDistinct, DistinctIndices.Are(g.Reshape(places, -1)));
        Assert.False(DistinctIndices.Are(places));
    }

    [Fact]
    public void Are_OfIndicesThatAreFed_IsNotKnown()
    {
        var graph = new Model(21).Graph;

        Assert.False(DistinctIndices.Are(graph.AddInput("places", ElementType.Int64, [Dim.Named("n")])));
    }
}
