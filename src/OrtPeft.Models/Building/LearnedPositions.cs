using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;

namespace OrtPeft.Models.Building;

/// <summary>Adds each token's row of a table of places.</summary>
/// <param name="Name">The module's path.</param>
/// <param name="Positions">The longest sequence in tokens.</param>
/// <param name="Width">The rows' width.</param>
/// <param name="Offset">How many rows come before that of the first place.</param>
/// <param name="Deviation">The standard deviation of a new table's values.</param>
internal sealed record LearnedPositions(string Name, int Positions, int Width, int Offset, float Deviation) : IModule
{
    public IEnumerable<WeightSpec> Weights => [new($"{Name}.weight", [Positions + Offset, Width], 0, Deviation)];

    public Value Apply(DecoderGraph decoder, Value x)
    {
        decoder.Enter(Name);
        var g = decoder.Builder;
        var places = g.Add(g.Reshape(decoder.Positions, -1), g.Int64Scalar(Offset));
        return g.Add(x, g.Gather(decoder.Weight($"{Name}.weight"), places));
    }
}
