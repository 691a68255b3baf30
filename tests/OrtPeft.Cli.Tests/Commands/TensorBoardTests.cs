using OrtPeft.Cli.Tests.Running;

namespace OrtPeft.Cli.Tests.Commands;

/// <summary>Where a run's events for TensorBoard go.</summary>
public sealed class TensorBoardTests(Workplace place) : IClassFixture<Workplace>
{
    [Fact]
    public void Train_WithAFolderForEvents_WritesOneOfItsOwnName()
    {
        var (logs, folder) = (place.Fresh(), place.Fresh());

        Train(folder, "--tensorboard", logs).Succeeded();

        Assert.Single(Events(logs, folder));
    }

    /// <summary>Events of two runs in one folder would be drawn as one.</summary>
    [Fact]
    public void Train_WhereEventsOfAnotherRunAre_IsRefused_OrReplacesThem()
    {
        var (logs, folder) = (place.Fresh(), place.Fresh());
        Train(folder, "--tensorboard", logs).Succeeded();
        Directory.Delete(folder, recursive: true);

        Train(folder, "--tensorboard", logs).Refused(2, "--tensorboard", "events of another run", "--overwrite");
        Train(folder, "--tensorboard", logs, "--overwrite").Succeeded();

        Assert.Single(Events(logs, folder));
    }

    [Fact]
    public void Train_WhereEventsOfAnotherProgramAre_LeavesThem()
    {
        var (logs, folder) = (place.Fresh(), place.Fresh());
        var own = Path.Combine(Directory.CreateDirectory(Path.Combine(logs, Path.GetFileName(folder))).FullName, "events.out.tfevents.1.host");
        File.WriteAllText(own, "precious");

        Train(folder, "--tensorboard", logs, "--overwrite").Refused(2, "events of another run");

        Assert.Equal("precious", File.ReadAllText(own));
    }

    [Fact]
    public void Train_ThatIsResumed_GoesOnInAnotherFile()
    {
        var (logs, folder) = (place.Fresh(), place.Fresh());
        Assert.Equal(130, CliRun.InterruptedAt("step 1/3", Words(folder, "--tensorboard", logs)).ExitCode);

        Train(folder, "--tensorboard", logs, "--resume").Succeeded();

        Assert.Equal(2, Events(logs, folder).Length);
    }

    [Fact]
    public void Train_WhereTheFolderIsAFile_IsRefused() =>
        Train(place.Fresh(), "--tensorboard", place.Rows).Refused(2, "--tensorboard", "is a file");

    private static string[] Events(string logs, string folder) =>
        Directory.GetFiles(Path.Combine(logs, Path.GetFileName(folder)), "events.out.tfevents.*");

    private string[] Words(string folder, params string[] options) =>
    [
        "train", place.Model, "--data", place.Rows, "--out", folder, "--batch-size", "2", "--threads", "1", "--steps", "3",
        .. options,
    ];

    private CliRun Train(string folder, params string[] options) => CliRun.Of(Words(folder, options));
}
