using System.Runtime.InteropServices;

namespace OrtPeft.Cli;

/// <summary>
/// Turns the first Ctrl-C or SIGTERM into a request to stop in good order; the second ends the process at once. Nothing
/// is intercepted before <see cref="Listen"/>, so commands that have nothing to save end at the first.
/// </summary>
internal sealed class Interruption : IDisposable
{
    private readonly CancellationTokenSource _source = new();
    private readonly List<PosixSignalRegistration> _registrations = [];

    /// <summary>Cancelled by the first signal.</summary>
    public CancellationToken Token => _source.Token;

    /// <summary>Starts to intercept signals.</summary>
    public void Listen()
    {
        if (_registrations.Count > 0)
            return;
        _registrations.Add(PosixSignalRegistration.Create(PosixSignal.SIGINT, Handle));
        _registrations.Add(PosixSignalRegistration.Create(PosixSignal.SIGTERM, Handle));
    }

    /// <summary>Asks for the stop, as a signal does.</summary>
    public void Request() => _source.Cancel();

    public void Dispose()
    {
        foreach (var registration in _registrations)
            registration.Dispose();
        _source.Dispose();
    }

    private void Handle(PosixSignalContext signal)
    {
        signal.Cancel = !_source.IsCancellationRequested;
        Request();
    }
}
