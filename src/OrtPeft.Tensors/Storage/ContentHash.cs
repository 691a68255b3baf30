using System.Globalization;
using System.IO.Hashing;
using System.Text;

namespace OrtPeft.Tensors.Storage;

/// <summary>
/// Tells contents apart, at the speed of memory: XXH64 with seed 0. Equal on every machine. It notices accidents, not
/// forgeries.
/// </summary>
/// <seealso href="https://github.com/Cyan4973/xxHash/blob/v0.8.2/doc/xxhash_spec.md">The specification.</seealso>
internal sealed class ContentHash
{
    private const int PieceBytes = 1 << 20;

    private readonly XxHash64 _hash = new();

    /// <summary>The hash of all that was added, as 16 hexadecimal digits.</summary>
    public string Text => Value.ToString("x16", CultureInfo.InvariantCulture);

    /// <summary>The hash of all that was added.</summary>
    public ulong Value => _hash.GetCurrentHashAsUInt64();

    /// <summary>Adds bytes; cut into pieces or not, they give the same.</summary>
    /// <param name="bytes">The bytes.</param>
    public void Add(ReadOnlySpan<byte> bytes) => _hash.Append(bytes);

    /// <summary>Adds a text in UTF-8, and where it ends.</summary>
    /// <param name="text">The text.</param>
    public void Add(string text)
    {
        Add(Encoding.UTF8.GetBytes(text));
        Add([0]);
    }

    /// <summary>Adds a tensor's name, type, shape and bytes; of a mapped file no pages stay in memory.</summary>
    /// <param name="name">What it is called.</param>
    /// <param name="tensor">The tensor.</param>
    public void Add(string name, Tensor tensor)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        var dims = string.Join(',', tensor.Dims.Select(static d => d.ToString(CultureInfo.InvariantCulture)));
        Add($"{name} {tensor.Type:d} [{dims}]");
        var buffer = new byte[(int)Math.Min(PieceBytes, tensor.Data.Length)];
        for (long at = 0; at < tensor.Data.Length; at += buffer.Length)
        {
            var piece = buffer.AsSpan(0, (int)Math.Min(buffer.Length, tensor.Data.Length - at));
            tensor.Data.Read(at, piece);
            Add(piece);
        }
    }

    /// <summary>Adds a file's bytes.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="IOException">It cannot be read.</exception>
    public void AddFile(string path)
    {
        using var file = InputFile.OpenRead(path, bufferSize: 1);
        var buffer = new byte[PieceBytes];
        for (int count; (count = file.Read(buffer)) > 0;)
            Add(buffer.AsSpan(0, count));
    }
}
