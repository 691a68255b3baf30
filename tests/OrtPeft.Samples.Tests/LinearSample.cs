using OrtPeft.Adapters;
using OrtPeft.Adapters.Lora;
using OrtPeft.Compilation.Objectives;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Shapes;
using OrtPeft.Tensors;
using OrtPeft.Training;
using OrtPeft.Training.Data;

namespace OrtPeft.Samples.Tests;

/// <summary>The guide, From C#: the smallest case.</summary>
internal static class LinearSample
{
    public static (TrainingResult Result, PeftModel Model) Run(string folder)
    {
        // sample: linear
        // y = x·Wᵀ + b, a Linear(2, 4) as PyTorch exports it.
        var model = new Model(opset: 21);
        var g = new GraphBuilder(model.Graph, new ShapeInference(21));
        var x = model.Graph.AddInput("x", ElementType.Float, [Dim.Named("batch"), 2]);
        var weight = model.Graph.AddInitializer("linear.weight", Tensor.Of<float>([1, 2, 3, 4, 5, 6, 7, 8], [4, 2]));
        var bias = model.Graph.AddInitializer("linear.bias", Tensor.Vector<float>(0, 0, 0, 0));
        model.Graph.AddOutput(g.Gemm(x, weight, bias, transB: true));

        var config = new LoraConfig { R = 1, LoraAlpha = 4, LoraDropout = 0.1, TargetModules = ["linear"] };
        var peft = PeftModel.Create(model, config);
        peft.PrintTrainableParameters();

        var data = new TensorDataset(new Dictionary<string, float[][]>
        {
            ["x"] = [[1, 0], [0, 1], [1, 1], [1, -1]],
            ["target"] = [[2, 3, 5, 7], [2, 4, 6, 8], [4, 7, 11, 15], [0, -1, -1, -1]],
        });
        var arguments = new TrainingArguments { BatchSize = 2, Epochs = 200, LearningRate = 0.05, Schedule = "constant" };
        using var trainer = new Trainer(peft, arguments, data, objective: new MeanSquaredError());
        var result = trainer.Train();
        peft.Save(folder);
        // end

        return (result, peft);
    }
}
