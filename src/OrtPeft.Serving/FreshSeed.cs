using System.Buffers.Binary;
using System.Security.Cryptography;

namespace OrtPeft.Serving;

/// <summary>Seeds for requests that bring none: two clients that ask the same get answers of their own.</summary>
internal static class FreshSeed
{
    /// <summary>A seed that nobody can foresee.</summary>
    public static long Next()
    {
        Span<byte> bytes = stackalloc byte[sizeof(long)];
        RandomNumberGenerator.Fill(bytes);
        return BinaryPrimitives.ReadInt64LittleEndian(bytes);
    }
}
