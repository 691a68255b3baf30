using OrtPeft.Training;
using OrtPeft.Training.Data;

namespace OrtPeft.Samples.Tests;

/// <summary>The guide, From C#: training from an artifact folder.</summary>
internal static class ArtifactsSample
{
    public static void Run(string artifactFolder, string adapterFolder, IDataset data)
    {
        // sample: artifacts
        using var trainer = Trainer.FromArtifacts(artifactFolder, new TrainingArguments { Epochs = 3 }, data);
        trainer.Train();
        trainer.SaveAdapter(adapterFolder);
        // end
    }
}
