using System.ComponentModel;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;
using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace OrtPeft.Kernels.MachineCode;

/// <summary>
/// Instructions that .NET has no intrinsics for: AVX512_BF16's products of pairs, and its rounding. Both are assembled
/// when they are first used, and take one argument, so that one body serves System V's and Windows' calling convention.
/// </summary>
/// <seealso href="https://www.intel.com/content/www/us/en/developer/articles/technical/intel-sdm.html">Intel's manual,
/// volume 2: VDPBF16PS, VCVTNEPS2BF16.</seealso>
internal static unsafe class Bf16Code
{
    private const int Rows = 8, Vectors = 3, VectorBytes = 64;

    /// <summary>Read for every tile: as a constant of the compiled code it costs nothing there.</summary>
    private static readonly (nint Multiply, nint Round, string? Obstacle) _code = Assemble();

    /// <summary>Why products of bfloat16 cannot be had here; null where they can.</summary>
    public static string? Obstacle => _code.Obstacle;

    /// <summary>Computes a tile.</summary>
    public static delegate* unmanaged[SuppressGCTransition]<Bf16Tile*, void> Multiply =>
        (delegate* unmanaged[SuppressGCTransition]<Bf16Tile*, void>)_code.Multiply;

    /// <summary>Rounds rows of float32 to bfloat16, to the nearest, of two to the even one; subnormal numbers become 0.
    /// </summary>
    public static delegate* unmanaged[SuppressGCTransition]<Bf16Rounding*, void> Round =>
        (delegate* unmanaged[SuppressGCTransition]<Bf16Rounding*, void>)_code.Round;

    private static (nint Multiply, nint Round, string? Obstacle) Assemble()
    {
        if (RuntimeInformation.ProcessArchitecture != Architecture.X64 || !Avx512BW.IsSupported || !HasInstructions())
            return (0, 0, "the processor has no products of bfloat16 (AVX512_BF16)");
        try
        {
            return (CodePages.Of(Bytes(WriteMultiply)), CodePages.Of(Bytes(WriteRound)), null);
        }
        catch (Win32Exception e)
        {
            return (0, 0, $"the system forbids to make memory executable ({e.Message})");
        }
    }

    /// <summary>Leaf 7, subleaf 1, EAX, bit 5.</summary>
    private static bool HasInstructions() => X86Base.CpuId(0, 0).Eax >= 7 && X86Base.CpuId(7, 0).Eax >= 1
        && (X86Base.CpuId(7, 1).Eax & (1 << 5)) != 0;

    /// <summary>Sums stay in registers 0 to 23, three for each row.</summary>
    private static void WriteMultiply(Assembler c, AssemblerRegister64 tile)
    {
        var (a, b, rows, stride, count, ahead) = (rax, rdx, rcx, r8, r10, r9);
        Load(c, a, tile, nameof(Bf16Tile.A));
        Load(c, b, tile, nameof(Bf16Tile.B));
        Load(c, rows, tile, nameof(Bf16Tile.S));
        Load(c, stride, tile, nameof(Bf16Tile.SumStride));
        for (var row = 0; row < Rows; row++)
        {
            for (var vector = 0; vector < Vectors; vector++)
                c.vmovups(Sum(row, vector), __zmmword_ptr[rows + (vector * VectorBytes)]);
            c.add(rows, stride);
        }

        Load(c, count, tile, nameof(Bf16Tile.Pairs));
        Load(c, ahead, tile, nameof(Bf16Tile.Ahead));
        Load(c, stride, tile, nameof(Bf16Tile.AheadStep));
        var loop = c.CreateLabel();
        c.Label(ref loop);
        c.prefetcht1(__byte_ptr[ahead]);
        c.add(ahead, stride);
        for (var vector = 0; vector < Vectors; vector++)
            c.vmovups(Vector(24 + vector), __zmmword_ptr[b + (vector * VectorBytes)]);
        for (var row = 0; row < Rows; row++)
        {
            var factor = Vector(27 + (row % 5));
            c.vpbroadcastd(factor, __dword_ptr[a + (row * sizeof(uint))]);
            for (var vector = 0; vector < Vectors; vector++)
                c.vdpbf16ps(Sum(row, vector), factor, Vector(24 + vector));
        }

        c.add(a, Rows * sizeof(uint));
        c.add(b, Vectors * VectorBytes);
        c.dec(count);
        c.jnz(loop);

        Load(c, rows, tile, nameof(Bf16Tile.C));
        Load(c, stride, tile, nameof(Bf16Tile.Stride));
        for (var row = 0; row < Rows; row++)
        {
            for (var vector = 0; vector < Vectors; vector++)
                c.vmovups(__zmmword_ptr[rows + (vector * VectorBytes)], Sum(row, vector));
            c.add(rows, stride);
        }
    }

    private static void WriteRound(Assembler c, AssemblerRegister64 rounding)
    {
        var (x, y, count) = (rax, rdx, r10);
        Load(c, x, rounding, nameof(Bf16Rounding.X), typeof(Bf16Rounding));
        Load(c, y, rounding, nameof(Bf16Rounding.Y), typeof(Bf16Rounding));
        Load(c, count, rounding, nameof(Bf16Rounding.Vectors), typeof(Bf16Rounding));
        var loop = c.CreateLabel();
        c.Label(ref loop);
        c.vcvtneps2bf16(ymm0, __zmmword_ptr[x]);
        c.vmovdqu(__ymmword_ptr[y], ymm0);
        c.add(x, VectorBytes);
        c.add(y, VectorBytes / 2);
        c.dec(count);
        c.jnz(loop);
    }

    private static AssemblerRegisterZMM Sum(int row, int vector) => Vector((row * Vectors) + vector);

    private static AssemblerRegisterZMM Vector(int number) => new(Register.ZMM0 + number);

    private static void Load(
        Assembler c, AssemblerRegister64 to, AssemblerRegister64 argument, string field, Type? type = null) =>
        c.mov(to, __qword_ptr[argument + (int)Marshal.OffsetOf(type ?? typeof(Bf16Tile), field)]);

    /// <summary>A function of one pointer, which is in r11 for the body.</summary>
    private static byte[] Bytes(Action<Assembler, AssemblerRegister64> body)
    {
        const int Kept = 10, KeptBytes = 16; // Windows wants registers 6 to 15 back, their lower quarters
        var c = new Assembler(64);
        var isWindows = OperatingSystem.IsWindows();
        c.mov(r11, isWindows ? rcx : rdi);
        if (isWindows)
        {
            c.sub(rsp, (Kept * KeptBytes) + 8);
            for (var i = 0; i < Kept; i++)
                c.vmovups(__xmmword_ptr[rsp + (i * KeptBytes)], new AssemblerRegisterXMM(Register.XMM6 + i));
        }

        body(c, r11);
        c.vzeroupper();
        if (isWindows)
        {
            for (var i = 0; i < Kept; i++)
                c.vmovups(new AssemblerRegisterXMM(Register.XMM6 + i), __xmmword_ptr[rsp + (i * KeptBytes)]);
            c.add(rsp, (Kept * KeptBytes) + 8);
        }

        c.ret();
        using var stream = new MemoryStream();
        c.Assemble(new StreamCodeWriter(stream), 0);
        return stream.ToArray();
    }
}
