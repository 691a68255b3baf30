using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using System.Text;

namespace OrtPeft.Training.Distributed;

/// <summary>
/// The processes that train one adapter together, each on its share of every batch. All of them make the same calls in the
/// same order, from one thread at a time. Sums are taken in the order of ranks, so that the same number of processes gives
/// the same bits.
/// </summary>
public abstract class ProcessGroup : IDisposable
{
    private float[] _parts = [];
    private float[] _sent = [];

    /// <summary>One process that trains by itself.</summary>
    public static ProcessGroup Alone { get; } = new SingleProcess();

    /// <summary>This process's number, from 0.</summary>
    public abstract int Rank { get; }

    /// <summary>How many processes there are, 1 or more.</summary>
    public abstract int Size { get; }

    /// <summary>Whether this process writes files and speaks for all.</summary>
    public bool IsFirst => Rank == 0;

    /// <summary>Joins the processes that an MPI launcher started: <c>mpirun</c>, <c>mpiexec</c> or <c>srun</c>, with the MPI
    /// that is installed.</summary>
    /// <returns>The group; <see cref="Alone"/> where no launcher started this process.</returns>
    /// <exception cref="DistributedException">The launcher's MPI cannot be loaded.</exception>
    public static ProcessGroup FromLauncher() => MpiLaunch.IsLaunched ? MpiGroup.Join() : Alone;

    /// <summary>How many threads this process may use: the cores that it is bound to, or its share of its machine's; 0 for
    /// all.</summary>
    public virtual int Threads => 0;

    /// <summary>Ends all processes at once, this one too; a process that is alone goes on.</summary>
    /// <param name="exitCode">The exit code of each.</param>
    public abstract void Abort(int exitCode);

    /// <inheritdoc/>
    public void Dispose()
    {
        Dispose(isDisposing: true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Leaves the group.</summary>
    /// <param name="isDisposing">Always true.</param>
    protected virtual void Dispose(bool isDisposing)
    {
    }

    /// <summary>Gives each process what all have.</summary>
    /// <param name="mine">This process's bytes; as many in each.</param>
    /// <param name="all">Those of all, in the order of ranks.</param>
    internal abstract void AllGather(ReadOnlySpan<byte> mine, Span<byte> all);

    /// <summary>Sends a part to each process.</summary>
    /// <param name="parts">The parts, of one length, in the order of ranks.</param>
    /// <param name="mine">What all sent to this process, in the order of ranks.</param>
    internal abstract void AllToAll(ReadOnlySpan<byte> parts, Span<byte> mine);

    /// <summary>Gives each process the first one's bytes.</summary>
    internal abstract void Broadcast(Span<byte> bytes);

    /// <summary>The processes' values, in the order of ranks.</summary>
    internal T[] Gather<T>(T mine)
        where T : unmanaged
    {
        var all = new T[Size];
        AllGather(MemoryMarshal.AsBytes(new ReadOnlySpan<T>(in mine)), MemoryMarshal.AsBytes(all.AsSpan()));
        return all;
    }

    /// <summary>The first process's text.</summary>
    internal string FromFirst(string text)
    {
        if (Size == 1)
            return text;
        var bytes = Encoding.UTF8.GetBytes(text);
        Span<int> length = [bytes.Length];
        Broadcast(MemoryMarshal.AsBytes(length));
        if (!IsFirst)
            bytes = new byte[length[0]];
        Broadcast(bytes);
        return Encoding.UTF8.GetString(bytes);
    }

    /// <summary>Puts the sum over all processes in a vector's place, each element's terms in the order of ranks. Each process
    /// adds up a part of it; 2·(N − 1)/N of its length travels to and from each, and as much memory is taken twice.</summary>
    internal void Sum(Span<float> vector)
    {
        if (Size == 1)
            return;
        var share = (vector.Length + Size - 1) / Size;
        _parts = Grown(_parts, share * Size);
        _sent = Grown(_sent, share * Size);
        var parts = _parts.AsSpan(0, share * Size);
        var sent = _sent.AsSpan(0, share * Size);
        vector.CopyTo(parts);
        parts[vector.Length..].Clear();
        AllToAll(MemoryMarshal.AsBytes(parts), MemoryMarshal.AsBytes(sent));
        var sum = sent[..share];
        for (var rank = 1; rank < Size; rank++)
            TensorPrimitives.Add(sum, sent.Slice(rank * share, share), sum);
        AllGather(MemoryMarshal.AsBytes(sum), MemoryMarshal.AsBytes(parts));
        parts[..vector.Length].CopyTo(vector);
    }

    private static float[] Grown(float[] buffer, int length) => buffer.Length >= length ? buffer : new float[length];

    private sealed class SingleProcess : ProcessGroup
    {
        public override int Rank => 0;

        public override int Size => 1;

        public override void Abort(int exitCode)
        {
        }

        internal override void AllGather(ReadOnlySpan<byte> mine, Span<byte> all) => mine.CopyTo(all);

        internal override void AllToAll(ReadOnlySpan<byte> parts, Span<byte> mine) => parts.CopyTo(mine);

        internal override void Broadcast(Span<byte> bytes)
        {
        }
    }
}
