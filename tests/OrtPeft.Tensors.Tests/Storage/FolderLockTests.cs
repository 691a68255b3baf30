using OrtPeft.Tensors.Storage;

namespace OrtPeft.Tensors.Tests.Storage;

public sealed class FolderLockTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("ortpeft-").FullName;

    [Fact]
    public void TryTake_WhileItIsTaken_GivesNothing_ThenLeavesNothingBehind()
    {
        using (var first = FolderLock.TryTake(_folder))
        {
            Assert.NotNull(first);
            Assert.Null(FolderLock.TryTake(_folder));
        }

        Assert.Empty(Directory.EnumerateFileSystemEntries(_folder));
        using var second = FolderLock.TryTake(_folder);
        Assert.NotNull(second);
    }

    [Fact]
    public void TryTake_FromManyThreads_LetsOneInAtATime()
    {
        var (inside, most, taken) = (0, 0, 0);

        Parallel.For(0, 400, new ParallelOptions { MaxDegreeOfParallelism = 8 }, _ =>
        {
            using var one = FolderLock.TryTake(_folder);
            if (one is null)
                return;
            var now = Interlocked.Increment(ref inside);
            InterlockedMax(ref most, now);
            Interlocked.Increment(ref taken);
            Interlocked.Decrement(ref inside);
        });

        Assert.Equal(1, most);
        Assert.True(taken > 0);
    }

    [Fact]
    public void Note_StaysWhereItIsWanted_AndIsRead()
    {
        using (var first = FolderLock.TryTake(_folder)!)
        {
            Assert.Equal("", first.LeftNote);
            first.Note = "unfinished";
            first.KeepsNote = true;
        }

        using var second = FolderLock.TryTake(_folder)!;
        Assert.Equal("unfinished", second.LeftNote);
    }

    [Fact]
    public void TryTake_WhereALinkStands_DoesNotFollowIt()
    {
        var target = Path.Combine(_folder, "target");
        File.WriteAllText(target, "precious");
        File.CreateSymbolicLink(Path.Combine(_folder, ".ortpeft-lock"), target);

        Assert.Throws<IOException>(() => FolderLock.TryTake(_folder));

        Assert.Equal("precious", File.ReadAllText(target));
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static void InterlockedMax(ref int target, int value)
    {
        for (var seen = target; value > seen; seen = target)
            Interlocked.CompareExchange(ref target, value, seen);
    }
}
