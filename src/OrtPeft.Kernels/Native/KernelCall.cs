using System.Runtime.InteropServices;
using OrtPeft.Tensors;

namespace OrtPeft.Kernels.Native;

/// <summary>One run of an operator: its inputs and outputs, and ONNX Runtime's threads to compute with.</summary>
internal readonly unsafe ref struct KernelCall
{
    private readonly OrtFunctions _ort;
    private readonly nint _context;

    public KernelCall(OrtFunctions ort, nint context, int inputCount) =>
        (_ort, _context, InputCount) = (ort, context, inputCount);

    /// <summary>How many inputs the operator has.</summary>
    public int InputCount { get; }

    /// <summary>Checks the inputs' axes.</summary>
    /// <exception cref="ArgumentException">They do not fit; the message says which and what would.</exception>
    public void Check(OpSignature signature)
    {
        var binding = OpSignature.OfRun();
        foreach (var (index, operand) in signature.Inputs.Index())
        {
            if (!operand.Axes.IsOpen && Has(index) && binding.Bind(operand, Dims(index)) is { } misfit)
                throw new ArgumentException(misfit);
        }
    }

    /// <summary>An input's elements.</summary>
    public T* Input<T>(int index)
        where T : unmanaged
    {
        float* data;
        OrtFunctions.Check(_ort.GetTensorMutableData(Value(index), &data));
        return (T*)data;
    }

    /// <summary>The elements of an input that may be missing: null where it is.</summary>
    public float* OptionalInput(int index) => Has(index) ? Input<float>(index) : null;

    /// <summary>The length of an input's last axis.</summary>
    public int RowLength(int index) => checked((int)Dims(index)[^1]);

    /// <summary>How many rows, along the last axis, an input has.</summary>
    public long Rows(int index) => KernelShapes.Count(Dims(index).AsSpan()[..^1]);

    /// <summary>Whether an input that may be missing is there.</summary>
    public bool Has(int index) => index < InputCount && Value(index) != 0;

    /// <summary>An input's axes.</summary>
    public long[] Dims(int index)
    {
        nint info;
        OrtFunctions.Check(_ort.GetTensorTypeAndShape(Value(index), &info));
        nuint rank;
        var counted = _ort.GetDimensionsCount(info, &rank);
        var dims = new long[counted == 0 ? rank : 0];
        fixed (long* start = dims)
        {
            var read = counted == 0 ? _ort.GetDimensions(info, start, rank) : counted;
            _ort.ReleaseTypeAndShape(info);
            OrtFunctions.Check(read);
        }

        return dims;
    }

    /// <summary>The type of an input's elements.</summary>
    public ElementType TypeOf(int index)
    {
        nint info;
        OrtFunctions.Check(_ort.GetTensorTypeAndShape(Value(index), &info));
        int type;
        var read = _ort.GetTensorElementType(info, &type);
        _ort.ReleaseTypeAndShape(info);
        OrtFunctions.Check(read);
        return (ElementType)type;
    }

    /// <summary>The axes of an input that has two.</summary>
    public (int Rows, int Columns) Matrix(int index) => Dims(index) is [var rows, var columns]
        ? (checked((int)rows), checked((int)columns))
        : throw new ArgumentException($"input {index} has {Dims(index).Length} axes, not 2.");

    /// <summary>Makes an output.</summary>
    /// <param name="index">From 0.</param>
    /// <param name="dims">Its axes.</param>
    /// <returns>Its elements, float32.</returns>
    public float* Output(int index, ReadOnlySpan<long> dims)
    {
        nint value;
        fixed (long* start = dims)
            OrtFunctions.Check(_ort.GetOutput(_context, (nuint)index, start, (nuint)dims.Length, &value));
        float* data;
        OrtFunctions.Check(_ort.GetTensorMutableData(value, &data));
        return data;
    }

    /// <summary>Does work on all of the session's threads; returns when all of it is done.</summary>
    /// <typeparam name="T">What a piece needs. It lives on the caller's stack, so that a run allocates next to nothing.
    /// </typeparam>
    /// <param name="work">Handed to every piece.</param>
    /// <param name="body">Does one piece; gets every number of a piece once.</param>
    /// <param name="pieces">How many pieces there are.</param>
    /// <exception cref="Exception">What the first piece that failed has thrown; pieces after it are left out.
    /// </exception>
    public void Share<T>(in T work, delegate*<in T, long, void> body, long pieces)
        where T : unmanaged
    {
        if (pieces <= 0)
            return;
        var failure = new PieceFailure();
        var handle = GCHandle.Alloc(failure);
        try
        {
            fixed (T* start = &work)
            {
                var shared = new SharedWork
                {
                    Body = (delegate*<void*, long, void>)body,
                    Work = start,
                    Failure = GCHandle.ToIntPtr(handle),
                };
                OrtFunctions.Check(_ort.ParallelFor(_context, &DoPiece, (nuint)pieces, 0, &shared));
            }
        }
        finally
        {
            handle.Free();
        }

        failure.Rethrow();
    }

    private nint Value(int index)
    {
        nint value;
        OrtFunctions.Check(_ort.GetInput(_context, (nuint)index, &value));
        return value;
    }

    /// <summary>Runs on ONNX Runtime's threads, where an exception would end the process.</summary>
    [UnmanagedCallersOnly]
    private static void DoPiece(void* work, nuint piece)
    {
        ref readonly var shared = ref *(SharedWork*)work;
        var failure = (PieceFailure)GCHandle.FromIntPtr(shared.Failure).Target!;
        if (failure.HasHappened)
            return;
        try
        {
            shared.Body(shared.Work, (long)piece);
        }
        catch (Exception e)
        {
            failure.Note(e);
        }
    }

    /// <summary>A body takes its work by reference, which is a pointer that the caller's stack holds still.</summary>
    private struct SharedWork
    {
        public delegate*<void*, long, void> Body;
        public void* Work;
        public nint Failure;
    }
}
