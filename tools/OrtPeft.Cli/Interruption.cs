using System.Runtime.InteropServices;

namespace OrtPeft.Cli;

/// <summary>
/// Turns the first Ctrl-C or SIGTERM into a request to stop in good order; the second ends the process at once. Nothing
/// is intercepted before <see cref="Listen"/> or <see cref="ListenToCtrlC"/>, so commands that have nothing to save end
/// at the first.
/// </summary>
internal sealed class Interruption : IDisposable
{
    private readonly List<PosixSignalRegistration> _registrations = [];
    private CancellationTokenSource _source = new();
    private int _requests;

    /// <summary>Is told of each signal at once, with its number from 1; null for nobody.</summary>
    public Action<int>? Answer { get; set; }

    /// <summary>Cancelled by the first signal.</summary>
    public CancellationToken Token => _source.Token;

    /// <summary>Starts to intercept signals.</summary>
    public void Listen()
    {
        if (_registrations.Count > 0)
            return;
        ListenToCtrlC();
        _registrations.Add(PosixSignalRegistration.Create(PosixSignal.SIGTERM, Handle));
    }

    /// <summary>Starts to intercept Ctrl-C alone, for a piece of work after which the run goes on.</summary>
    public void ListenToCtrlC() => _registrations.Add(PosixSignalRegistration.Create(PosixSignal.SIGINT, Handle));

    /// <summary>Intercepts nothing any more and forgets a request, until it is to listen again.</summary>
    public void Rest()
    {
        Unregister();
        if (_source.IsCancellationRequested)
            _source = new CancellationTokenSource();
        _requests = 0;
    }

    /// <summary>Asks for the stop, as a signal does.</summary>
    public void Request()
    {
        Answer?.Invoke(Interlocked.Increment(ref _requests));
        _source.Cancel();
    }

    public void Dispose()
    {
        Unregister();
        _source.Dispose();
    }

    private void Unregister()
    {
        foreach (var registration in _registrations)
            registration.Dispose();
        _registrations.Clear();
    }

    private void Handle(PosixSignalContext signal)
    {
        signal.Cancel = !_source.IsCancellationRequested;
        Request();
    }
}
