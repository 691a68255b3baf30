using System.Runtime.CompilerServices;
using OrtPeft.Tokenizers;
using OrtPeft.Training;
using OrtPeft.Training.Data;

namespace OnDevice.Android;

/// <summary>
/// Trains an adapter on a user's texts. Android ends apps in the background without asking, so a run that is stopped
/// leaves a checkpoint, and the next one goes on from it.
/// </summary>
/// <param name="artifacts">A folder that <c>ortpeft artifacts</c> wrote, with the tokenizer's files.</param>
/// <param name="home">The app's own folder.</param>
public sealed class Tuner(string artifacts, string home)
{
    private readonly string _run = Path.Combine(home, "run");

    /// <summary>The trained adapter, once a run has come to its end.</summary>
    public string AdapterFolder => Path.Combine(home, "adapter");

    /// <summary>Whether a run was stopped and can go on.</summary>
    public bool IsInterrupted => File.Exists(Path.Combine(_run, Trainer.CheckpointFile));

    /// <summary>Trains, or goes on with the run that was stopped, if texts and steps are the same.</summary>
    /// <param name="texts">The user's texts, at least one.</param>
    /// <param name="steps">Optimiser steps of the whole run.</param>
    /// <param name="stop">Stops after the step under way.</param>
    /// <returns>A report after every step.</returns>
    /// <exception cref="OperationCanceledException">It was stopped; its checkpoint is written.</exception>
    /// <exception cref="ArgumentException">The checkpoint belongs to other texts or steps: call <see cref="Forget"/> to
    /// begin again.</exception>
    public async IAsyncEnumerable<TrainingProgress> TrainAsync(
        IReadOnlyList<string> texts, int steps, [EnumeratorCancellation] CancellationToken stop = default)
    {
        ArgumentNullException.ThrowIfNull(texts);
        var data = TokenDataset.FromTexts(TokenizerFolder.Load(artifacts), [.. texts]);
        var arguments = new TrainingArguments
        {
            MaxSteps = steps,
            BatchSize = Math.Min(4, texts.Count),
            LearningRate = 1e-3,
            OutputFolder = _run,
            CheckpointSteps = 10, // what is lost where the system ends the app at once
            Resume = IsInterrupted,
        };
        using (var trainer = Trainer.FromArtifacts(artifacts, arguments, data))
        {
            await foreach (var progress in trainer.TrainAsync(stop).ConfigureAwait(false))
                yield return progress;
            trainer.SaveAdapter(AdapterFolder);
        }

        Forget();
    }

    /// <summary>Drops the checkpoint of a run that was stopped.</summary>
    public void Forget()
    {
        if (Directory.Exists(_run))
            Directory.Delete(_run, recursive: true);
    }
}
