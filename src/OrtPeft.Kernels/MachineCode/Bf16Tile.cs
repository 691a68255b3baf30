using System.Runtime.InteropServices;

namespace OrtPeft.Kernels.MachineCode;

/// <summary>Operands of a tile of products of bfloat16: C = S + A·B with float32 sums.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct Bf16Tile
{
    /// <summary>[pairs, 8] pairs of neighbours along the sum.</summary>
    public uint* A;

    /// <summary>[pairs, 48].</summary>
    public uint* B;

    /// <summary>How many pairs a sum has, at least 1.</summary>
    public long Pairs;

    /// <summary>The first of the result's eight rows of 48.</summary>
    public float* C;

    /// <summary>How far they are apart, in bytes.</summary>
    public nint Stride;

    /// <summary>The first of the rows that sums begin with.</summary>
    public float* S;

    /// <summary>How far they are apart, in bytes; 0 for one that all begin with.</summary>
    public nint SumStride;

    /// <summary>Memory that will be read soon.</summary>
    public byte* Ahead;

    /// <summary>How many bytes further each pair asks.</summary>
    public nint AheadStep;
}
