using OrtPeft.Onnx.Building;

namespace OrtPeft.Onnx.Passes.Contrib;

/// <summary>Lengths of axes as scalars, and numbers counted up to them.</summary>
internal static class Lengths
{
    /// <summary>An axis' length, <c>[] int64</c>.</summary>
    public static Term Of(GraphBuilder g, Value value, long axis) =>
        g.Term(g.Gather(g.Shape(value), g.Int64Scalar(axis)));

    /// <summary>0, 1, … below a length, <c>[length] int64</c>.</summary>
    public static Term CountTo(GraphBuilder g, Value length) =>
        g.Term(g.Op("Range", g.Int64Scalar(0), length, g.Int64Scalar(1)));

    /// <summary>
    /// The places of the queries among all keys, <c>[sequence] int64</c>: the queries are the last of them.
    /// </summary>
    public static Term QueryPlaces(GraphBuilder g, Term sequence, Term total) =>
        CountTo(g, sequence) + (total - sequence);
}
