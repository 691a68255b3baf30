namespace OrtPeft.Training.Distributed;

/// <summary>The processes of MPI_COMM_WORLD.</summary>
internal sealed unsafe class MpiGroup : ProcessGroup
{
    /// <summary>Counts are ints, and what all have must fit into one.</summary>
    private const int Most = 1 << 28;

    private static readonly Lazy<MpiGroup> Joined = new(Begin);

    private readonly MpiLibrary _mpi;

    private MpiGroup(MpiLibrary mpi) => (_mpi, Rank, Size) = (mpi, mpi.Rank(), mpi.Size());

    public override int Rank { get; }

    public override int Size { get; }

    public override int Threads => MpiLaunch.Threads;

    /// <summary>Joins the others, once in a process.</summary>
    public static MpiGroup Join() => Joined.Value;

    private static MpiGroup Begin()
    {
        var mpi = MpiLibrary.Load();
        mpi.Init();
        var group = new MpiGroup(mpi);
        if (group.Size > 1)
            return group;
        group.Dispose();
        throw new DistributedException(
            $"The launcher started several processes, and {mpi.Name} finds one: it is another MPI than the launcher's; name "
            + $"the launcher's library in {MpiLibrary.Variable}.")
        {
            IsOfLibrary = true,
        };
    }

    public override void Abort(int exitCode) => _mpi.Abort(exitCode);

    internal override void AllGather(ReadOnlySpan<byte> mine, Span<byte> all)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(all.Length, checked(mine.Length * Size));
        fixed (byte* from = mine, to = all)
            _mpi.AllGather(from, to, mine.Length);
    }

    internal override void AllToAll(ReadOnlySpan<byte> parts, Span<byte> mine)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(mine.Length, parts.Length);
        fixed (byte* from = parts, to = mine)
            _mpi.AllToAll(from, to, parts.Length / Size);
    }

    internal override void Broadcast(Span<byte> bytes)
    {
        fixed (byte* start = bytes)
        {
            for (var at = 0; at < bytes.Length; at += Most)
                _mpi.Broadcast(start + at, Math.Min(Most, bytes.Length - at));
        }
    }

    protected override void Dispose(bool isDisposing)
    {
        _mpi.Finish();
        base.Dispose(isDisposing);
    }
}
