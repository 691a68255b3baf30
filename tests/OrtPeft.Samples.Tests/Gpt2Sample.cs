using OrtPeft.Adapters;
using OrtPeft.Adapters.Lora;
using OrtPeft.Models;
using OrtPeft.Tokenizers;
using OrtPeft.Training;
using OrtPeft.Training.Data;

namespace OrtPeft.Samples.Tests;

/// <summary>The guide, From C#: GPT-2 on three sentences.</summary>
internal static class Gpt2Sample
{
    public static (TrainingResult Result, PeftModel Model) Run(string modelFolder, string adapterFolder)
    {
        // sample: gpt2
        var source = ModelSource.Open(modelFolder); // an HF folder, or one with model.onnx
        var tokenizer = TokenizerFolder.Load(source.Folder);

        var config = new LoraConfig { R = 16, LoraAlpha = 32, LoraDropout = 0.1, TargetModules = ["attn"] };
        var model = PeftModel.Create(source.Model, config);
        model.PrintTrainableParameters();

        var data = TokenDataset.FromTexts(
            tokenizer,
            "ONNX Runtime runs models anywhere.",
            "LoRA trains two small matrices beside each large one.",
            "OrtPeft writes the backward pass as an ONNX graph.");
        using var trainer = new Trainer(model, new TrainingArguments { BatchSize = 2, Epochs = 3 }, data);
        var result = trainer.Train();
        model.Save(adapterFolder);
        // end

        return (result, model);
    }
}
