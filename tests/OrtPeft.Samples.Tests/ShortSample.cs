using OrtPeft.Adapters.Lora;
using OrtPeft.Text;
using OrtPeft.Training;

namespace OrtPeft.Samples.Tests;

/// <summary>README: a model, rows, an adapter, and text.</summary>
internal static class ShortSample
{
    public static string Run(string modelFolder, string rowsFile, string adapterFolder)
    {
        // sample: short
        var model = TextModel.Open(modelFolder); // an HF folder, or one with model.onnx
        var adapted = model.AddAdapter(new LoraConfig { R = 8, LoraAlpha = 16 });
        using var trainer = new Trainer(adapted, new TrainingArguments { Epochs = 3 }, model.ReadRows(rowsFile, adapted));
        trainer.Train();
        adapted.Save(adapterFolder); // Hugging Face PEFT reads it too
        using var generator = model.OpenGenerator(adapted);
        var text = generator.Generate("Question: What is ONNX Runtime?\nAnswer:");

        // end
        return text;
    }
}
