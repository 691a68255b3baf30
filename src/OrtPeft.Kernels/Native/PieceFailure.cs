using System.Runtime.ExceptionServices;

namespace OrtPeft.Kernels.Native;

/// <summary>The first failure in a shared piece of work. Thread-safe.</summary>
internal sealed class PieceFailure
{
    private ExceptionDispatchInfo? _first;

    /// <summary>Whether a piece has failed, so that the others need not run.</summary>
    public bool HasHappened => Volatile.Read(ref _first) is not null;

    /// <summary>Keeps an exception where it is the first.</summary>
    public void Note(Exception error) =>
        Interlocked.CompareExchange(ref _first, ExceptionDispatchInfo.Capture(error), null);

    /// <summary>Throws what was kept, with its own stack.</summary>
    public void Rethrow() => _first?.Throw();
}
