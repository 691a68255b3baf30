using OrtPeft.Onnx.Shapes;

namespace OrtPeft.Autodiff.Tests.Proof;

/// <summary>How much of the inputs' shapes a graph states.</summary>
internal enum ShapeKnowledge
{
    /// <summary>All lengths.</summary>
    Lengths,

    /// <summary>A name for each axis of each input, another one each time.</summary>
    OwnNames,

    /// <summary>Names that equal lengths share.</summary>
    SharedNames,

    /// <summary>The number of axes.</summary>
    Rank,

    /// <summary>Nothing.</summary>
    Nothing,
}

internal static class ShapeKnowledgeExtensions
{
    public static Shape? Of(this ShapeKnowledge knowledge, long[] dims, int place) => knowledge switch
    {
        ShapeKnowledge.Lengths => Shape.Of(dims),
        ShapeKnowledge.OwnNames => Shape.Create([.. dims.Select((_, i) => Dim.Named($"x{place}_{i}"))]),
        ShapeKnowledge.SharedNames => Shape.Create([.. dims.Select(static d => Dim.Named($"n{d}"))]),
        ShapeKnowledge.Rank => Shape.Create([.. dims.Select(static _ => Dim.Unknown)]),
        ShapeKnowledge.Nothing => null,
        _ => throw new ArgumentOutOfRangeException(nameof(knowledge), knowledge, "No such knowledge."),
    };
}
