using System.Buffers.Binary;
using System.Globalization;
using System.Numerics;
using System.Runtime.InteropServices;
using System.Text;
using OrtPeft.Tensors.Storage;

namespace OrtPeft.Tensors.Numerics;

/// <summary>
/// Tells contents apart, at the speed of memory: XXH64 with seed 0. Equal on every machine. It notices accidents, not
/// forgeries.
/// </summary>
/// <seealso href="https://github.com/Cyan4973/xxHash/blob/v0.8.2/doc/xxhash_spec.md">The specification.</seealso>
public sealed class ContentHash
{
    private const ulong Prime1 = 0x9E3779B185EBCA87;
    private const ulong Prime2 = 0xC2B2AE3D27D4EB4F;
    private const ulong Prime3 = 0x165667B19E3779F9;
    private const ulong Prime4 = 0x85EBCA77C2B2AE63;
    private const ulong Prime5 = 0x27D4EB2F165667C5;
    private const int StripeBytes = 32;
    private const int PieceBytes = 1 << 20;

    private readonly byte[] _rest = new byte[StripeBytes];
    private ulong _lane1 = unchecked(Prime1 + Prime2);
    private ulong _lane2 = Prime2;
    private ulong _lane3;
    private ulong _lane4 = unchecked(0 - Prime1);
    private int _restBytes;
    private ulong _length;

    /// <summary>The hash of all that was added, as 16 hexadecimal digits.</summary>
    public string Text => Value.ToString("x16", CultureInfo.InvariantCulture);

    /// <summary>The hash of all that was added.</summary>
    public ulong Value
    {
        get
        {
            var hash = _length >= StripeBytes ? Merged() : Prime5;
            hash += _length;
            ReadOnlySpan<byte> rest = _rest.AsSpan(0, _restBytes);
            for (; rest.Length >= sizeof(ulong); rest = rest[sizeof(ulong)..])
            {
                hash ^= Round(0, BinaryPrimitives.ReadUInt64LittleEndian(rest));
                hash = (BitOperations.RotateLeft(hash, 27) * Prime1) + Prime4;
            }

            if (rest.Length >= sizeof(uint))
            {
                hash ^= BinaryPrimitives.ReadUInt32LittleEndian(rest) * Prime1;
                hash = (BitOperations.RotateLeft(hash, 23) * Prime2) + Prime3;
                rest = rest[sizeof(uint)..];
            }

            foreach (var value in rest)
                hash = BitOperations.RotateLeft(hash ^ (value * Prime5), 11) * Prime1;
            hash = (hash ^ (hash >> 33)) * Prime2;
            hash = (hash ^ (hash >> 29)) * Prime3;
            return hash ^ (hash >> 32);
        }
    }

    /// <summary>Adds bytes; cut into pieces or not, they give the same.</summary>
    /// <param name="bytes">The bytes.</param>
    public void Add(ReadOnlySpan<byte> bytes)
    {
        _length += (ulong)bytes.Length;
        if (_restBytes > 0)
        {
            var taken = Math.Min(StripeBytes - _restBytes, bytes.Length);
            bytes[..taken].CopyTo(_rest.AsSpan(_restBytes));
            _restBytes += taken;
            bytes = bytes[taken..];
            if (_restBytes < StripeBytes)
                return;
            Consume(MemoryMarshal.Cast<byte, ulong>(_rest));
            _restBytes = 0;
        }

        var whole = bytes.Length - (bytes.Length % StripeBytes);
        Consume(MemoryMarshal.Cast<byte, ulong>(bytes[..whole]));
        bytes[whole..].CopyTo(_rest);
        _restBytes = bytes.Length - whole;
    }

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

    private static ulong Round(ulong lane, ulong input) =>
        BitOperations.RotateLeft(lane + (input * Prime2), 31) * Prime1;

    private static ulong MergeRound(ulong hash, ulong lane) => ((hash ^ Round(0, lane)) * Prime1) + Prime4;

    private void Consume(ReadOnlySpan<ulong> words)
    {
        var (lane1, lane2, lane3, lane4) = (_lane1, _lane2, _lane3, _lane4);
        for (; words.Length >= 4; words = words[4..])
        {
            lane1 = Round(lane1, words[0]);
            lane2 = Round(lane2, words[1]);
            lane3 = Round(lane3, words[2]);
            lane4 = Round(lane4, words[3]);
        }

        (_lane1, _lane2, _lane3, _lane4) = (lane1, lane2, lane3, lane4);
    }

    private ulong Merged()
    {
        var hash = BitOperations.RotateLeft(_lane1, 1) + BitOperations.RotateLeft(_lane2, 7)
            + BitOperations.RotateLeft(_lane3, 12) + BitOperations.RotateLeft(_lane4, 18);
        hash = MergeRound(hash, _lane1);
        hash = MergeRound(hash, _lane2);
        hash = MergeRound(hash, _lane3);
        return MergeRound(hash, _lane4);
    }
}
