namespace OrtPeft.Tensors.Storage;

/// <summary>The kind of thing that a path leads to, links followed.</summary>
public enum FileKind
{
    /// <summary>Bytes that can be mapped and read again.</summary>
    Regular,

    /// <summary>A folder.</summary>
    Folder,

    /// <summary>A named pipe; to open one waits for whoever writes into it.</summary>
    Pipe,

    /// <summary>A socket.</summary>
    Socket,

    /// <summary>A device, such as a terminal or <c>/dev/zero</c>.</summary>
    Device,
}
