using OrtPeft.Cli.Tests.Running;
using OrtPeft.Tensors.Storage;

namespace OrtPeft.Cli.Tests.Files;

public sealed class OutputFolderTests(WritingVerbs verbs) : IClassFixture<WritingVerbs>
{
    public static TheoryData<string> Verbs => [.. WritingVerbs.Names];

    [Theory]
    [MemberData(nameof(Verbs))]
    public void Verb_WhereAFileThatItWritesIsThere_LeavesIt(string verb)
    {
        foreach (var name in verbs.WrittenBy(verb))
        {
            var folder = verbs.Place.Fresh();
            Directory.CreateDirectory(Path.GetDirectoryName(Path.Combine(folder, name))!);
            File.WriteAllText(Path.Combine(folder, name), "precious");

            CliRun.Of(verbs.Words(verb, folder)).Refused(2, folder, name, "--overwrite");

            Assert.Equal("precious", File.ReadAllText(Path.Combine(folder, name)));
            Assert.Single(Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories));
        }
    }

    [Theory]
    [MemberData(nameof(Verbs))]
    public void Verb_WhereAFolderStandsInAFilesPlace_LeavesIt(string verb)
    {
        foreach (var name in verbs.WrittenBy(verb))
        {
            var folder = verbs.Place.Fresh();
            var inside = Path.Combine(Directory.CreateDirectory(Path.Combine(folder, name)).FullName, "precious");
            File.WriteAllText(inside, "precious");

            CliRun.Of([.. verbs.Words(verb, folder), "--overwrite"]).Refused(2, folder, name);

            Assert.Equal("precious", File.ReadAllText(inside));
        }
    }

    [Theory]
    [MemberData(nameof(Verbs))]
    public void Verb_WhereALinkStandsInAFilesPlace_ReplacesTheLinkAlone(string verb)
    {
        var (target, folder) = (verbs.Place.Write("target", "precious"), verbs.Place.Fresh());
        var names = verbs.WrittenBy(verb).Where(static n => Path.GetDirectoryName(n) is "").ToArray();
        Directory.CreateDirectory(folder);
        foreach (var name in names)
            File.CreateSymbolicLink(Path.Combine(folder, name), target);

        CliRun.Of(verbs.Words(verb, folder)).Refused(2, folder, "--overwrite");
        CliRun.Of([.. verbs.Words(verb, folder), "--overwrite"]).Succeeded();

        Assert.Equal("precious", File.ReadAllText(target));
        Assert.All(names, name => Assert.Null(new FileInfo(Path.Combine(folder, name)).LinkTarget));
    }

    [Theory]
    [MemberData(nameof(Verbs))]
    public void Verb_WhereAPlaceIsTakenMeanwhile_LeavesIt(string verb)
    {
        var folder = verbs.Place.Fresh();
        var taken = Path.Combine(folder, verbs.WrittenBy(verb)[0]);
        var isDone = false;
        using (FileSteps.Watch(step =>
        {
            if (isDone || !step.StartsWith("make", StringComparison.Ordinal))
                return;
            isDone = true;
            File.WriteAllText(taken, "precious");
        }))
        {
            CliRun.Of(verbs.Words(verb, folder)).Refused(2, taken[(folder.Length + 1)..]);
        }

        Assert.Equal("precious", File.ReadAllText(taken));
    }

    [Theory]
    [MemberData(nameof(Verbs))]
    public void Verb_BesideOtherFiles_LeavesThem(string verb)
    {
        var folder = verbs.Place.Fresh();
        Directory.CreateDirectory(Path.Combine(folder, "Documents"));
        string[] others = [Path.Combine(folder, "notes.txt"), Path.Combine(folder, "Documents", "model.onnx")];
        foreach (var other in others)
            File.WriteAllText(other, "precious");

        CliRun.Of(verbs.Words(verb, folder)).Succeeded();
        CliRun.Of([.. verbs.Words(verb, folder, variant: 1), "--overwrite"]).Succeeded();

        Assert.All(others, static other => Assert.Equal("precious", File.ReadAllText(other)));
        Assert.DoesNotContain(Directory.EnumerateFileSystemEntries(folder), static e => IsHidden(e));
    }

    [Theory]
    [MemberData(nameof(Verbs))]
    public void Verb_WhereAnotherProcessWrites_IsRefused_AndGoesOnAfterIt(string verb)
    {
        var folder = Directory.CreateDirectory(verbs.Place.Fresh()).FullName;
        using (FolderLock.TryTake(folder))
            CliRun.Of(verbs.Words(verb, folder)).Refused(2, folder, "another process");

        Assert.Empty(Directory.EnumerateFileSystemEntries(folder));
        CliRun.Of(verbs.Words(verb, folder)).Succeeded();
    }

    [Theory]
    [MemberData(nameof(Verbs))]
    public void Verb_AfterAKilledOne_RemovesWhatItLeft_AndNothingElse(string verb)
    {
        var folder = Directory.CreateDirectory(verbs.Place.Fresh()).FullName;
        var own = Path.Combine(folder, $"{verbs.WrittenBy(verb)[0]}.{Guid.NewGuid():n}.tmp");
        var stage = Directory.CreateDirectory(Path.Combine(folder, $".ortpeft-{Guid.NewGuid():n}")).FullName;
        string[] foreign = [Path.Combine(folder, "work.tmp"), Path.Combine(folder, $"thesis.{Guid.NewGuid():n}.tmp")];
        foreach (var file in (string[])[own, .. foreign, Path.Combine(stage, "model.onnx")])
            File.WriteAllText(file, "text");

        CliRun.Of(verbs.Words(verb, folder)).Succeeded();

        Assert.False(File.Exists(own));
        Assert.False(Directory.Exists(stage));
        Assert.All(foreign, static file => Assert.True(File.Exists(file)));
    }

    private static bool IsHidden(string path) =>
        Path.GetFileName(path).StartsWith(StagedFolder.HiddenPrefix, StringComparison.Ordinal);
}
