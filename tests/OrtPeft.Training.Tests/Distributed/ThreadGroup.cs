using OrtPeft.Training.Distributed;

namespace OrtPeft.Training.Tests.Distributed;

/// <summary>Processes that are threads of one: each call meets those of the others at a barrier.</summary>
internal sealed class ThreadGroup : ProcessGroup
{
    private readonly Exchange _exchange;

    private ThreadGroup(Exchange exchange, int rank) => (_exchange, Rank) = (exchange, rank);

    public override int Rank { get; }

    public override int Size => _exchange.Sent.Length;

    /// <summary>Runs each rank's part on a thread of its own, and throws what the first of them that fails throws; the
    /// others' waiting ends then.</summary>
    public static T[] Run<T>(int size, Func<ProcessGroup, T> part)
    {
        using var exchange = new Exchange(size);
        var results = new T[size];
        Exception? failure = null;
        var threads = Enumerable.Range(0, size).Select(rank => new Thread(() =>
        {
            try
            {
                results[rank] = part(new ThreadGroup(exchange, rank));
            }
            catch (Exception e)
            {
                if (Interlocked.CompareExchange(ref failure, e, null) is null)
                    exchange.End.Cancel();
            }
        })).ToArray();
        foreach (var thread in threads)
            thread.Start();
        foreach (var thread in threads)
            thread.Join();
        return failure is null ? results : throw new AggregateException(failure);
    }

    public override void Abort(int exitCode) => _exchange.End.Cancel();

    internal override void AllGather(ReadOnlySpan<byte> mine, Span<byte> all)
    {
        var sent = Share(mine);
        for (var rank = 0; rank < Size; rank++)
            sent[rank].CopyTo(all[(rank * mine.Length)..]);
    }

    internal override void AllToAll(ReadOnlySpan<byte> parts, Span<byte> mine)
    {
        var (sent, share) = (Share(parts), parts.Length / Size);
        for (var rank = 0; rank < Size; rank++)
            sent[rank].AsSpan(Rank * share, share).CopyTo(mine[(rank * share)..]);
    }

    internal override void Broadcast(Span<byte> bytes) => Share(bytes)[0].CopyTo(bytes);

    /// <summary>What all sent, once all have; no one sends again before all have it.</summary>
    private byte[][] Share(ReadOnlySpan<byte> mine)
    {
        _exchange.Sent[Rank] = mine.ToArray();
        _exchange.Barrier.SignalAndWait(_exchange.End.Token);
        byte[][] sent = [.. _exchange.Sent];
        _exchange.Barrier.SignalAndWait(_exchange.End.Token);
        return sent;
    }

    private sealed class Exchange(int size) : IDisposable
    {
        public byte[][] Sent { get; } = new byte[size][];

        public Barrier Barrier { get; } = new(size);

        public CancellationTokenSource End { get; } = new();

        public void Dispose()
        {
            Barrier.Dispose();
            End.Dispose();
        }
    }
}
