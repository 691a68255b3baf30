using System.Runtime.CompilerServices;

namespace OrtPeft.Kernels.Native;

/// <summary>Memory that is kept from one run of an operator to the next, so that runs allocate nothing.</summary>
internal static unsafe class KeptMemory
{
    /// <summary>Room for at least as many elements; their content is arbitrary.</summary>
    /// <param name="kept">What was taken before, in a field of the thread's own; grows where it is too small.</param>
    /// <param name="count">How many elements.</param>
    public static T* Of<T>(ref T[]? kept, long count)
        where T : unmanaged
    {
        if (kept is null || kept.Length < count)
            kept = GC.AllocateUninitializedArray<T>(checked((int)Math.Max(count, 1)), pinned: true);
        return (T*)Unsafe.AsPointer(ref kept[0]);
    }
}
