using OrtPeft.Tensors.Storage;

namespace OrtPeft.Tensors.Tests.Storage;

public sealed class FileStateTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("ortpeft-").FullName;

    [Fact]
    public void IsSame_FollowsLinksAndDots_AndTellsNeighboursApart()
    {
        var real = Directory.CreateDirectory(Path.Combine(_folder, "real")).FullName;
        var link = Directory.CreateSymbolicLink(Path.Combine(_folder, "link"), real).FullName;
        var chain = Directory.CreateSymbolicLink(Path.Combine(_folder, "chain"), "link").FullName;
        var other = Directory.CreateDirectory(Path.Combine(_folder, "other")).FullName;

        Assert.All(
            [$"{real}/", link, chain, Path.Combine(other, "..", "real"), Path.Combine(real, ".")],
            path => Assert.True(FileState.IsSame(path, real), path));
        Assert.False(FileState.IsSame(other, real));
        Assert.True(FileState.IsSame(Path.Combine(chain, "new"), Path.Combine(real, "new")));
        Assert.False(FileState.IsSame(Path.Combine(chain, "new"), Path.Combine(real, "newer")));
        Assert.False(FileState.IsSame(Path.Combine(chain, "new"), real));
    }

    [Fact]
    public void Of_ChangesWithEveryWrite()
    {
        var path = Path.Combine(_folder, "file");
        File.WriteAllText(path, "text");
        var before = FileState.Of(path);

        File.SetLastWriteTimeUtc(path, File.GetLastWriteTimeUtc(path).AddSeconds(1));
        var touched = FileState.Of(path);
        File.AppendAllText(path, "s");

        Assert.Equal((FileKind.Regular, 4L), (before!.Value.Kind, before.Value.Length));
        Assert.NotEqual(before, touched);
        Assert.NotEqual(touched, FileState.Of(path));
        Assert.Null(FileState.Of(Path.Combine(_folder, "nothing")));
        Assert.Equal(FileKind.Folder, FileState.Of(_folder)!.Value.Kind);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);
}
