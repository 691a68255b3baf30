using System.Runtime.InteropServices;

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

    /// <summary>What most operators need: the first three inputs, all float32, and an output of the first's shape.
    /// </summary>
    /// <param name="body">Does one piece.</param>
    /// <param name="dims">The first input's axes.</param>
    public KernelWork Work(delegate*<in KernelWork, long, void> body, ReadOnlySpan<long> dims) => new()
    {
        Body = body,
        A = Input<float>(0),
        B = Input<float>(1),
        C = InputCount > 2 ? Input<float>(2) : null,
        Y = Output(0, dims),
    };

    /// <summary>An input's elements.</summary>
    public T* Input<T>(int index)
        where T : unmanaged
    {
        float* data;
        OrtFunctions.Check(_ort.GetTensorMutableData(Value(index), &data));
        return (T*)data;
    }

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
    /// <param name="work">What to do; its body gets every number of a piece once.</param>
    /// <param name="pieces">How many pieces there are.</param>
    /// <exception cref="Exception">What the first piece that failed has thrown; pieces after it are left out.
    /// </exception>
    public void Share(KernelWork work, long pieces)
    {
        if (pieces <= 0)
            return;
        var failure = new PieceFailure();
        var handle = GCHandle.Alloc(failure);
        try
        {
            work.Failure = GCHandle.ToIntPtr(handle);
            OrtFunctions.Check(_ort.ParallelFor(_context, &DoPiece, (nuint)pieces, 0, &work));
        }
        finally
        {
            handle.Free();
        }

        failure.Rethrow();
    }

    /// <summary>Does work for each row of a shape, whose length it notes.</summary>
    public void ShareRows(KernelWork work, ReadOnlySpan<long> dims)
    {
        work.Columns = checked((int)dims[^1]);
        Share(work, KernelShapes.Count(dims[..^1]));
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
        ref readonly var all = ref *(KernelWork*)work;
        var failure = (PieceFailure)GCHandle.FromIntPtr(all.Failure).Target!;
        if (failure.HasHappened)
            return;
        try
        {
            all.Body(in all, (long)piece);
        }
        catch (Exception e)
        {
            failure.Note(e);
        }
    }
}
