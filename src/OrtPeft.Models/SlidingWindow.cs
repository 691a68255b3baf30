namespace OrtPeft.Models;

/// <summary>Attention that looks a fixed number of tokens back, in some layers. Immutable; equal by value.</summary>
public sealed record SlidingWindow
{
    /// <summary>Creates a window.</summary>
    /// <param name="size">Tokens that a query sees, itself included; from 1.</param>
    /// <param name="layers">The numbers of the layers that have the window.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="size"/> is under 1.</exception>
    public SlidingWindow(int size, params IEnumerable<int> layers)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(size, 1);
        Size = size;
        Layers = new LayerSet(layers);
    }

    /// <summary><c>sliding_window</c>: tokens that a query sees, itself included.</summary>
    public int Size { get; }

    /// <summary>The layers that have the window; the others see everything before them.</summary>
    public LayerSet Layers { get; }

    /// <summary>Whether a layer has the window.</summary>
    /// <param name="layer">The layer's number, from 0.</param>
    public bool IsIn(int layer) => Layers.Contains(layer);
}
