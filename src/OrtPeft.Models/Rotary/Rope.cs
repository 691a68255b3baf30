namespace OrtPeft.Models.Rotary;

/// <summary>A description's rotary positions.</summary>
/// <param name="Theta">The base of the angles.</param>
/// <param name="Scaling">How they are slowed down, or null.</param>
/// <param name="Part">How much of a head turns: the first elements of it.</param>
internal sealed record Rope(float Theta, RopeScaling? Scaling = null, double Part = 1)
{
    /// <summary>How many elements of a head turn.</summary>
    /// <param name="headSize">A head's elements.</param>
    public int Size(int headSize) => (int)(headSize * Part);

    /// <summary>The angles of the part that turns.</summary>
    /// <param name="headSize">A head's elements.</param>
    /// <param name="positions">The longest sequence in tokens.</param>
    public RopeFrequencies Frequencies(int headSize, int positions) =>
        RopeTypes.Frequencies(Size(headSize), Theta, Scaling, positions);
}
