using Microsoft.ML.OnnxRuntime;

namespace OrtPeft.Training.Runtime.Memory;

/// <summary>A value in a device's memory that a graph reads and replaces: it writes into a second buffer, and the two take
/// turns.</summary>
/// <param name="first">The value at first; it is taken over.</param>
internal sealed class TurningValue(OrtValue first) : IDisposable
{
    private OrtValue _current = first;

    /// <summary>The value.</summary>
    public OrtValue Current
    {
        get => _current;
        set
        {
            _current.Dispose();
            _current = value;
        }
    }

    /// <summary>The buffer that the next run writes; null before the first, which makes it.</summary>
    public OrtValue? Spare { get; private set; }

    /// <summary>Makes what a run has written the value.</summary>
    /// <param name="made">A handle of it, which is taken over.</param>
    public void Turn(OrtValue made)
    {
        Spare?.Dispose(); // another handle of what was made
        (Spare, _current) = (_current, made);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _current.Dispose();
        Spare?.Dispose();
    }
}
