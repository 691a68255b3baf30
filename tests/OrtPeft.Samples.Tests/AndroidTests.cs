using OnDevice.Android;
using OrtPeft.Adapters;
using OrtPeft.Adapters.Lora;
using OrtPeft.Compilation.Artifacts;
using OrtPeft.Compilation.Objectives;
using OrtPeft.Compilation.Portable;
using OrtPeft.Models;
using OrtPeft.Testing;

namespace OrtPeft.Samples.Tests;

/// <summary>The part of <c>samples/android</c> that is not its screen.</summary>
public sealed class AndroidTests : IDisposable
{
    private const int Steps = 40; // that there are some left when a report of the second has come and the run is stopped

    private static readonly string[] Texts =
        ["Parses a text.", "Gets the number of items.", "Writes a line.", "Opens a file.", "Closes a file."];

    private readonly TemporaryFolder _place = new();

    public void Dispose() => _place.Dispose();

    [Fact]
    public async Task Tuner_StoppedHalfWay_GoesOnToTheSameAdapter()
    {
        WriteArtifacts();
        var (whole, broken) = (new Tuner(_place["artifacts"], _place["whole"]), new Tuner(_place["artifacts"], _place["broken"]));
        using var stop = new CancellationTokenSource();

        Assert.Equal(Steps, await Run(whole, Texts));
        await Assert.ThrowsAsync<OperationCanceledException>(() => Run(broken, Texts, stop));
        Assert.True(broken.IsInterrupted);
        Assert.False(Directory.Exists(broken.AdapterFolder));
        var rest = await Run(broken, Texts);

        Assert.InRange(rest, 1, Steps - 1);
        Assert.False(broken.IsInterrupted);
        Assert.Equal(Weights(whole), Weights(broken));
    }

    [Fact]
    public async Task Tuner_WithOtherTexts_RefusesTheCheckpointUntilItIsForgotten()
    {
        WriteArtifacts();
        var tuner = new Tuner(_place["artifacts"], _place["home"]);
        using var stop = new CancellationTokenSource();
        await Assert.ThrowsAsync<OperationCanceledException>(() => Run(tuner, Texts, stop));

        await Assert.ThrowsAnyAsync<ArgumentException>(() => Run(tuner, [.. Texts.Reverse()]));
        tuner.Forget();

        Assert.Equal(Steps, await Run(tuner, [.. Texts.Reverse()]));
    }

    /// <summary>Trains; stops after the second step where it may.</summary>
    private static async Task<int> Run(Tuner tuner, string[] texts, CancellationTokenSource? stop = null)
    {
        var count = 0;
        // Reports are read beside the run, not when xunit has a thread for it.
        await foreach (var progress in tuner.TrainAsync(texts, Steps, stop?.Token ?? default).ConfigureAwait(false))
        {
            if (progress.Step > 0 && ++count == 2 && stop is not null)
                await stop.CancelAsync();
        }

        return count;
    }

    private static byte[] Weights(Tuner tuner) =>
        File.ReadAllBytes(Path.Combine(tuner.AdapterFolder, "adapter_model.safetensors"));

    private void WriteArtifacts()
    {
        var source = ModelSource.Open(Path.Combine(Fixtures.Folder, "..", "..", "models", "tiny-gpt2-apidocs"));
        var model = PeftModel.Create(source.Model, new LoraConfig { R = 2, TargetModules = ["c_attn"] });
        PortableArtifacts.Write(model, new CausalLm(), new ArtifactSettings(), _place["artifacts"]);
        foreach (var file in Directory.GetFiles(source.Folder, "*.*").Where(static f => Path.GetExtension(f) is ".json" or ".txt"))
            File.Copy(file, Path.Combine(_place["artifacts"], Path.GetFileName(file)), overwrite: false);
    }
}
