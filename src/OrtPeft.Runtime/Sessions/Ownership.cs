namespace OrtPeft.Runtime.Sessions;

/// <summary>
/// Everything that an object has taken over so far: what its constructor has opened is released if a later part of it
/// throws. Released in reverse order. Not thread-safe.
/// </summary>
internal sealed class Ownership : IDisposable
{
    private readonly Stack<IDisposable> _owned = new();

    /// <summary>Takes something over.</summary>
    /// <typeparam name="T">Its type.</typeparam>
    /// <param name="owned">Released with this.</param>
    /// <returns>What is given.</returns>
    public T Of<T>(T owned)
        where T : IDisposable
    {
        _owned.Push(owned);
        return owned;
    }

    /// <summary>Releases everything, the last first.</summary>
    public void Dispose()
    {
        while (_owned.TryPop(out var owned))
            owned.Dispose();
    }
}
