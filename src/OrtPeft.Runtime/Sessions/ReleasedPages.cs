using OrtPeft.Tensors.Storage;

namespace OrtPeft.Runtime.Sessions;

/// <summary>
/// Gives the pages of mapped files back to the system, again and again while it lives: ONNX Runtime reads every weight
/// once to pack it, and would otherwise leave the whole file resident beside the packed copies.
/// </summary>
internal sealed class ReleasedPages : IDisposable
{
    /// <summary>Between two times some tens of megabytes are packed.</summary>
    private static readonly TimeSpan Period = TimeSpan.FromMilliseconds(20);

    private readonly MappedFile[] _files;
    private readonly Timer _timer;

    public ReleasedPages(IEnumerable<MappedFile> files)
    {
        _files = [.. files.Distinct()];
        _timer = new Timer(_ => Release(), null, Period, Period);
    }

    public void Dispose()
    {
        _timer.Dispose();
        Release();
    }

    private void Release()
    {
        foreach (var file in _files)
            file.ReleasePages();
    }
}
