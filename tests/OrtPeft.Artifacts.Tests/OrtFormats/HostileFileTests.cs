using System.Buffers.Binary;
using OrtPeft.Artifacts.OrtFormats;
using OrtPeft.Tensors;
using OrtPeft.Testing;

namespace OrtPeft.Artifacts.Tests.OrtFormats;

/// <summary>
/// Damaged files: every one is read or refused with the format's own error, and no range of what is read leaves the
/// file, since every access goes through spans of its exact bytes.
/// </summary>
public sealed class HostileFileTests : IDisposable
{
    private const int Mutations = 10_000;
    private const int ThroughFiles = 50;

    private static readonly uint[] Extremes =
        [0, 1, 2, 4, 7, 0x7f, 0xff, 0x7fff, 0xffff, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff, 0xfffffffc];

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void LoadCheckpoint_OfMutatedFiles_ThrowsOnlyItsOwnErrors()
    {
        Samples.Full().Save(_folder["a"]);
        Samples.Full(isNominal: true).Save(_folder["b"]);

        Fuzz(seed: 1, path => Touch(OrtCheckpoint.Load(path)), bytes => Touch(OrtCheckpoint.Parse(bytes, "blob")));
    }

    [Fact]
    public void Load_OfMutatedFiles_ThrowsOnlyItsOwnErrors()
    {
        Tensor[] parameters = [Samples.Floats("a", 3, 2), Samples.Floats("bb", 2, 5)];
        new OrtAdapterFile { Parameters = parameters, ModelVersion = 1 }.Save(_folder["a"]);
        new OrtAdapterFile { Parameters = [Tensor.Vector(1L).WithName("c")] }.Save(_folder["b"]);

        Fuzz(
            seed: 2,
            path => Touch(OrtAdapterFile.Load(path).Parameters),
            bytes => Touch(OrtAdapterFile.Parse(bytes, "blob").Parameters));
    }

    [Fact]
    public void Load_OfFilesCutOffAnywhere_Throws()
    {
        Samples.Full().Save(_folder["a"]);
        var whole = File.ReadAllBytes(_folder["a"]);

        for (var length = 0; length < whole.Length; length++)
        {
            var cut = whole[..length];
            Assert.Throws<OnnxFormatException>(() => Touch(OrtCheckpoint.Parse(cut, "blob")));
        }
    }

    private void Fuzz(int seed, Action<string> load, Action<byte[]> parse)
    {
        byte[][] valid = [File.ReadAllBytes(_folder["a"]), File.ReadAllBytes(_folder["b"])];
        var random = new Random(seed);
        var (read, refused) = (0, 0);
        for (var i = 0; i < Mutations; i++)
        {
            var bytes = valid[i % 2];
            for (var changes = random.Next(1, 4); changes > 0; changes--)
                bytes = Mutate(bytes, valid[(i + 1) % 2], random);
            var error = Record.Exception(() => parse(bytes));
            Assert.True(error is null or OnnxFormatException, $"seed {seed}, mutation {i}: {error}");
            Assert.True(error?.Message.Contains('\n', StringComparison.Ordinal) is not true, error?.Message);
            (read, refused) = error is null ? (read + 1, refused) : (read, refused + 1);
            if (i % ThroughFiles == 0)
                AssertSameFromFile(bytes, load, error);
        }

        // Neither is rare, or the mutations would not test much.
        Assert.InRange(read, Mutations / 20, Mutations);
        Assert.InRange(refused, Mutations / 4, Mutations);
    }

    private void AssertSameFromFile(byte[] bytes, Action<string> load, Exception? expected)
    {
        File.WriteAllBytes(_folder["mutated"], bytes);

        var error = Record.Exception(() => load(_folder["mutated"]));

        Assert.True(error is null or OnnxFormatException, $"{error}");
        Assert.Equal(expected is null, error is null);
    }

    private static byte[] Mutate(byte[] source, byte[] other, Random random)
    {
        if (source.Length < 8)
            return source;
        byte[] bytes = [.. source];
        var at = random.Next(bytes.Length - 4);
        switch (random.Next(6))
        {
            case 0:
                bytes[at] ^= (byte)(1 << random.Next(8));
                break;
            case 1:
                return bytes[..random.Next(bytes.Length)];
            case 2:
                BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(at & ~3), Extreme(bytes.Length, random));
                break;
            case 3:
                BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(at & ~1), (ushort)Extreme(bytes.Length, random));
                break;
            case 4:
                var from = random.Next(other.Length);
                var count = random.Next(1, Math.Min(bytes.Length - at, other.Length - from) + 1);
                other.AsSpan(from, count).CopyTo(bytes.AsSpan(at));
                break;
            default:
                return [.. bytes[..at], .. other[random.Next(other.Length)..]];
        }

        return bytes;
    }

    private static uint Extreme(int length, Random random) => random.Next(4) switch
    {
        0 => (uint)random.Next(length + 8),
        1 => unchecked((uint)-random.Next(length + 8)),
        _ => Extremes[random.Next(Extremes.Length)],
    };

    private static void Touch(OrtCheckpoint checkpoint)
    {
        if (!checkpoint.IsNominal)
            Touch([.. checkpoint.Trainable, .. checkpoint.Frozen]);
        foreach (var state in checkpoint.OptimizerGroups.SelectMany(static g => g.States))
            Touch(state.Momentums);
    }

    private static void Touch(IReadOnlyList<Tensor> tensors)
    {
        var sum = 0;
        foreach (var tensor in tensors)
        {
            foreach (var value in tensor.Data.Slice(0, (int)tensor.Data.Length))
                sum += value;
        }

        Assert.True(sum >= 0);
    }
}
