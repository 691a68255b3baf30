namespace OrtPeft.Serving.Engine;

/// <summary>Counts of an engine's present and past work; read from any thread.</summary>
internal sealed class EngineCounts
{
    private int _waiting;
    private int _running;
    private long _steps;
    private long _rows;

    /// <summary>Requests that wait.</summary>
    public int Waiting
    {
        get => Volatile.Read(ref _waiting);
        set => Volatile.Write(ref _waiting, value);
    }

    /// <summary>Requests that are computed.</summary>
    public int Running
    {
        get => Volatile.Read(ref _running);
        set => Volatile.Write(ref _running, value);
    }

    /// <summary>Steps so far.</summary>
    public long Steps => Interlocked.Read(ref _steps);

    /// <summary>Rows of all steps so far.</summary>
    public long Rows => Interlocked.Read(ref _rows);

    /// <summary>Counts a step.</summary>
    public void Step(int rows)
    {
        Interlocked.Increment(ref _steps);
        Interlocked.Add(ref _rows, rows);
    }
}
