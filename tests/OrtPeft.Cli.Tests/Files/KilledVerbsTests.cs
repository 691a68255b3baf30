using OrtPeft.Cli.Tests.Running;
using OrtPeft.Tensors;
using OrtPeft.Tensors.Storage;
using OrtPeft.Training;

namespace OrtPeft.Cli.Tests.Files;

/// <summary>
/// What a folder holds when its writer dies: a copy of it is made before every step that changes a file.
/// </summary>
public sealed class KilledVerbsTests(WritingVerbs verbs) : IClassFixture<WritingVerbs>
{
    public static TheoryData<string> Verbs => [.. WritingVerbs.Names];

    [Theory]
    [MemberData(nameof(Verbs))]
    public void Verb_KilledBeforeAnyStep_LeavesTheOldOrTheNewOrARefusal(string verb)
    {
        var (folder, old) = (verbs.Place.Fresh(), verbs.Place.Fresh());
        CliRun.Of(verbs.Words(verb, folder)).Succeeded();
        FolderContent.Copy(folder, old);

        var states = StatesOf(folder, () => CliRun.Of([.. verbs.Words(verb, folder, variant: 1), "--overwrite"]));

        var (before, after) = (Kept(old), Kept(folder));
        Assert.NotEqual(before, after);
        Assert.True(states.Count > 8, $"{states.Count} steps");
        foreach (var state in states)
        {
            if (!IsRefused(state))
                Assert.Contains(Kept(state), new[] { before, after });
            StagedFolder.Finish(state);
            Assert.Contains(Kept(state), new[] { before, after });
        }
    }

    [Theory]
    [InlineData("train")]
    [InlineData("train artifacts")]
    public void TrainOver_KilledBeforeAnyStep_NeverResumesTheOldRun(string verb)
    {
        var folder = verbs.Place.Fresh();
        CliRun.Of(verbs.Words(verb, folder)).Succeeded();
        var old = FolderContent.Of(folder);

        var states = StatesOf(folder, () => CliRun.Of([.. verbs.Words(verb, folder), "--overwrite"]));

        var isRetired = false;
        foreach (var state in states)
        {
            StagedFolder.Finish(state);
            var content = FolderContent.Of(state);
            var isOld = old["checkpoint.safetensors"] == content.GetValueOrDefault("checkpoint.safetensors");
            Assert.Equal(isOld, old["metrics.jsonl"] == content.GetValueOrDefault("metrics.jsonl"));
            Assert.False(isRetired && isOld);
            isRetired |= !isOld;
        }

        Assert.True(isRetired);
    }

    [Fact]
    public void Train_KilledBeforeAnyStep_EndsWithTheSameBitsWhenRunAgain()
    {
        var folder = verbs.Place.Fresh();
        string[] dropout = ["--dropout", "0.1"];
        var states = StatesOf(folder, () => CliRun.Of([.. verbs.Words("train", folder, steps: 4), .. dropout]));
        var expected = Kept(folder);

        foreach (var state in states.Where(static (_, number) => number % 5 == 0))
        {
            StagedFolder.Finish(state);
            string[] go = File.Exists(Path.Combine(state, "checkpoint.safetensors")) ? ["--resume"] : [];
            CliRun.Of([.. verbs.Words("train", state, steps: 4), .. dropout, .. go]).Succeeded();

            Assert.Equal(expected, Kept(state));
            var names = Directory.EnumerateFileSystemEntries(state).Select(Path.GetFileName);
            Assert.DoesNotContain(names, static name => IsRubbish(name!));
        }
    }

    [Fact]
    public void Verb_InAFolderThatAKilledOneLeftUnfinished_FinishesItFirst()
    {
        var (folder, fresh) = (verbs.Place.Fresh(), verbs.Place.Fresh());
        CliRun.Of(verbs.Words("quantize", folder)).Succeeded();
        CliRun.Of(verbs.Words("quantize", fresh, variant: 1)).Succeeded();
        string[] words = [.. verbs.Words("quantize", folder, variant: 1), "--overwrite"];
        var unfinished = StatesOf(folder, () => CliRun.Of(words)).First(IsRefused);

        CliRun.Of("eval", unfinished, "--data", verbs.Place.Rows).Refused(2, unfinished, "run that command again");
        CliRun.Of(verbs.Words("quantize", unfinished, variant: 1)).Refused(2, "--overwrite");

        Assert.Equal(FolderContent.Of(fresh), FolderContent.Of(unfinished));
        CliRun.Of("eval", unfinished, "--data", verbs.Place.Rows).Succeeded();
    }

    private static bool IsRubbish(string name) =>
        name.StartsWith(StagedFolder.HiddenPrefix, StringComparison.Ordinal) || AtomicFile.IsTemporary(name, out _);

    /// <summary>What a run leaves for good, but for what names its folder.</summary>
    private static SortedDictionary<string, string> Kept(string folder)
    {
        var content = FolderContent.Of(folder);
        foreach (var name in content.Keys.ToArray())
        {
            if (Trainer.RunFiles.Contains(name) || name is "run.yaml" or "README.md" or "report.html" or "run-info.json" || IsRubbish(name))
                content.Remove(name);
        }

        return content;
    }

    /// <summary>What every reading verb does first with any file of the folder.</summary>
    private static bool IsRefused(string folder)
    {
        try
        {
            InputFile.Check(Directory.EnumerateFileSystemEntries(folder).First());
            return false;
        }
        catch (OnnxFormatException)
        {
            return true;
        }
    }

    private List<string> StatesOf(string folder, Func<CliRun> run)
    {
        var states = new List<string>();
        using (FileSteps.Watch(_ =>
        {
            states.Add(verbs.Place.Fresh());
            FolderContent.Copy(folder, states[^1]);
        }))
        {
            run().Succeeded();
        }

        return states;
    }
}
