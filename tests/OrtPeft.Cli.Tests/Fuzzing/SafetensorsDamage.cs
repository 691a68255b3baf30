using System.Buffers.Binary;

namespace OrtPeft.Cli.Tests.Fuzzing;

/// <summary>Changes the header of a safetensors file, whose length then fits again, or its bytes.</summary>
internal static class SafetensorsDamage
{
    public static byte[] Apply(byte[] file, Random random)
    {
        if (random.Next(3) == 0)
            return ByteDamage.Apply(file, random);
        var end = sizeof(ulong) + (int)BinaryPrimitives.ReadUInt64LittleEndian(file);
        var header = JsonDamage.Apply(file[sizeof(ulong)..end], random);
        var length = new byte[sizeof(ulong)];
        BinaryPrimitives.WriteUInt64LittleEndian(length, (ulong)header.Length);
        return [.. length, .. header, .. file.AsSpan(end)];
    }
}
