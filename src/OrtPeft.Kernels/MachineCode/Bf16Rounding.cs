using System.Runtime.InteropServices;

namespace OrtPeft.Kernels.MachineCode;

/// <summary>Numbers that become bfloat16.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct Bf16Rounding
{
    /// <summary>Float32.</summary>
    public float* X;

    /// <summary>As many of bfloat16.</summary>
    public ushort* Y;

    /// <summary>How many there are, in units of 16; at least 1.</summary>
    public long Vectors;
}
