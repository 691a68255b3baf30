using OrtPeft.Tensors.Storage;

namespace OrtPeft.Tensors.Tests.Storage;

public sealed class StagedFolderTests : IDisposable
{
    private const StringComparison Ordinal = StringComparison.Ordinal;

    private readonly string _root = Directory.CreateTempSubdirectory("ortpeft-").FullName;

    private string Target => Path.Combine(_root, "target");

    [Fact]
    public void Commit_KilledBeforeAnyStep_LeavesTheOldOrAJournal_WhichTheNextOneFinishes()
    {
        Write(Target, ("a", "old"), ("in/b", "old"), ("gone", "old"), ("other", "kept"));
        var states = new List<string>();

        using (FileSteps.Watch(_ => states.Add(Copy())))
        using (var stage = new StagedFolder(Target))
        {
            Write(stage.Path, ("a", "new"), ("in/b", "new"), ("c", "new"));
            stage.Commit("gone", "a", "missing");
        }

        string[] old = ["a=old", "gone=old", "in/b=old", "other=kept"];
        string[] now = ["a=new", "c=new", "in/b=new", "other=kept"];
        Assert.Equal(now, Content(Target));
        Assert.True(states.Count > 6, $"{states.Count}");
        foreach (var state in states)
        {
            var isUnfinished = IsRefused(state);
            if (!isUnfinished)
                Assert.Contains(Content(state), new[] { old, now });
            StagedFolder.Finish(state);
            Assert.Contains(Content(state), new[] { old, now });
            Assert.False(IsRefused(state));
            if (isUnfinished)
                Assert.Equal(now, Content(state));
        }
    }

    /// <summary>After a loss of power the names must be there that a step counts on.</summary>
    [Fact]
    public void Commit_HasEachStepOnTheDiskBeforeTheNextOneCountsOnIt()
    {
        Write(Target, ("a", "old"), ("gone", "old"));
        var log = new List<string>();
        string stagePath;

        using (FileSteps.Watch(log.Add, path => log.Add($"sync {path}")))
        using (var stage = new StagedFolder(Target))
        {
            stagePath = stage.Path;
            Write(stage.Path, ("a", "new"), ("in/b", "new"));
            stage.Commit("gone");
        }

        var journal = log.FindIndex(s => s.EndsWith($" to {Path.Combine(Target, ".ortpeft-commit")}", Ordinal));
        var finished = log.FindIndex(s => s == $"delete {Path.Combine(Target, ".ortpeft-commit")}");
        var inner = Path.Combine(stagePath, "in");
        string[] before = [Path.Combine(stagePath, "a"), Path.Combine(inner, "b"), inner, stagePath];
        Assert.All(before, path => Assert.InRange(log.IndexOf($"sync {path}"), 0, journal - 1));
        Assert.Equal($"sync {Target}", log[journal + 1]);
        Assert.Equal([$"sync {Path.Combine(Target, "in")}", $"sync {Target}"], log[(finished - 2)..finished]);
    }

    [Fact]
    public void AtomicFile_WhenItIsInPlace_HasItsNameOnTheDisk()
    {
        Write(Target, ("a", "old"));
        var log = new List<string>();

        using (FileSteps.Watch(log.Add, path => log.Add($"sync {path}")))
            AtomicFile.Write(Path.Combine(Target, "a"), "new");

        Assert.StartsWith("move ", log[^2], Ordinal);
        Assert.Equal($"sync {Target}", log[^1]);
    }

    [Fact]
    public void Commit_WhereAPlaceIsAFolder_ChangesNothing()
    {
        Write(Target, ("a/inside", "old"), ("b", "old"));
        using var stage = new StagedFolder(Target);
        Write(stage.Path, ("a", "new"), ("b", "new"));

        Assert.Throws<IOException>(() => stage.Commit());

        Assert.Equal(["a/inside=old", "b=old"], Content(Target));
        Assert.False(IsRefused(Target));
    }

    [Fact]
    public void Commit_ThroughALinkThatLeadsElsewhere_ChangesNothing()
    {
        Write(Path.Combine(_root, "elsewhere"), ("b", "precious"));
        Directory.CreateDirectory(Target);
        Directory.CreateSymbolicLink(Path.Combine(Target, "in"), Path.Combine(_root, "elsewhere"));
        using var stage = new StagedFolder(Target);
        Write(stage.Path, ("in/b", "new"));

        Assert.Throws<IOException>(() => stage.Commit());

        Assert.Equal(["b=precious"], Content(Path.Combine(_root, "elsewhere")));
    }

    [Theory]
    [InlineData(".ortpeft-x\0-../precious")]
    [InlineData(".ortpeft-x\0-/precious")]
    [InlineData(".ortpeft-x\0-in/../../precious")]
    [InlineData("../x\0+precious")]
    [InlineData(".ortpeft-/../x\0+precious")]
    [InlineData("")]
    [InlineData(".ortpeft-x\0?precious")]
    public void Finish_OfAJournalThatLeadsOutside_TouchesNothing(string journal)
    {
        Write(_root, ("precious", "kept"), ("x/precious", "kept"));
        Write(Target, (".ortpeft-commit", journal), ("in/b", "kept"));

        Assert.Throws<OnnxFormatException>(() => StagedFolder.Finish(Target));

        Assert.Equal("kept", File.ReadAllText(Path.Combine(_root, "precious")));
        Assert.Equal("kept", File.ReadAllText(Path.Combine(_root, "x", "precious")));
    }

    public void Dispose() => Directory.Delete(_root, recursive: true);

    private static void Write(string folder, params (string Name, string Text)[] files)
    {
        foreach (var (name, text) in files)
        {
            var path = Path.Combine(folder, name);
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            File.WriteAllText(path, text);
        }
    }

    private static string[] Content(string folder) =>
    [
        .. Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories)
            .Select(file => (Name: Path.GetRelativePath(folder, file), Text: File.ReadAllText(file)))
            .Where(static f => !f.Name.StartsWith(StagedFolder.HiddenPrefix, StringComparison.Ordinal))
            .Select(static f => $"{f.Name}={f.Text}")
            .Order(StringComparer.Ordinal),
    ];

    private static bool IsRefused(string folder) =>
        Record.Exception(() => InputFile.Check(Directory.EnumerateFileSystemEntries(folder).First())) is not null;

    private string Copy()
    {
        var copy = Path.Combine(_root, Guid.NewGuid().ToString("n"));
        foreach (var folder in Directory.EnumerateDirectories(Target, "*", SearchOption.AllDirectories).Prepend(Target))
            Directory.CreateDirectory(Path.Combine(copy, Path.GetRelativePath(Target, folder)));
        foreach (var file in Directory.EnumerateFiles(Target, "*", SearchOption.AllDirectories))
            File.Copy(file, Path.Combine(copy, Path.GetRelativePath(Target, file)));
        return copy;
    }
}
