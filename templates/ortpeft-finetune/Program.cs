using OrtPeft.Adapters;
using OrtPeft.Adapters.Lora;
using OrtPeft.Text;
using OrtPeft.Training;

var model = TextModel.Open("gpt2", Console.Error.WriteLine); // an HF folder, or one with model.onnx
var adapted = model.AddAdapter(new LoraConfig { R = 8, LoraAlpha = 16 });
adapted.PrintTrainableParameters();

var rows = model.ReadRows("rows.jsonl", adapted); // text, prompt and completion, or messages
var arguments = new TrainingArguments { Epochs = 10, BatchSize = 4, LearningRate = 5e-3 };
using var trainer = new Trainer(adapted, arguments, rows);

using var stop = new CancellationTokenSource();
Console.CancelKeyPress += (_, key) =>
{
    key.Cancel = true;
    stop.Cancel(); // after the step under way
};
try
{
    await foreach (var progress in trainer.TrainAsync(stop.Token))
        Console.WriteLine($"step {progress.Step} of {progress.TotalSteps}: loss {progress.Loss:F4}");
}
catch (OperationCanceledException)
{
    Console.WriteLine("stopped early");
}

adapted.Save("adapter"); // Hugging Face PEFT reads it too

using var generator = model.OpenGenerator(adapted);
Console.WriteLine(generator.Generate("Question: What is ONNX Runtime?\nAnswer:"));
