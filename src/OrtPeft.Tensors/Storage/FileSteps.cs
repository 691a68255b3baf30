namespace OrtPeft.Tensors.Storage;

/// <summary>
/// The operations that change a folder's files. Each is one step, before which a program may die: whoever watches them
/// sees every state that a folder can be left in.
/// </summary>
internal static class FileSteps
{
    private static readonly AsyncLocal<Action<string>?> Watcher = new();
    private static readonly AsyncLocal<Action<string>?> SyncWatcher = new();

    /// <summary>Has a function called before every step of this flow of execution, with words for it.</summary>
    /// <param name="before">The function.</param>
    /// <param name="synced">Called after a file or folder was written to the disk, with its path.</param>
    /// <returns>Ends the watch when disposed.</returns>
    public static IDisposable Watch(Action<string> before, Action<string>? synced = null)
    {
        (Watcher.Value, SyncWatcher.Value) = (before, synced);
        return new Ending();
    }

    /// <summary>Makes the names in a folder outlast a loss of power; no step, as no file changes.</summary>
    public static void SyncFolder(string path)
    {
        DiskSync.Folder(path);
        SyncWatcher.Value?.Invoke(path);
    }

    /// <summary>Makes a file's content outlast a loss of power.</summary>
    public static void SyncContent(string path)
    {
        DiskSync.Content(path);
        SyncWatcher.Value?.Invoke(path);
    }

    public static void Move(string from, string to)
    {
        Before($"move {from} to {to}");
        File.Move(from, to, overwrite: true);
    }

    public static void Delete(string path)
    {
        Before($"delete {path}");
        File.Delete(path);
    }

    public static void DeleteFolder(string path, bool withContent)
    {
        Before($"delete folder {path}");
        Directory.Delete(path, withContent);
    }

    /// <summary>Says that a step follows which is none of the others.</summary>
    public static void Before(string step) => Watcher.Value?.Invoke(step);

    private sealed class Ending : IDisposable
    {
        public void Dispose() => (Watcher.Value, SyncWatcher.Value) = (null, null);
    }
}
