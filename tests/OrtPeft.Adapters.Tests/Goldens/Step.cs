using OrtPeft.Compilation.Graphs;
using OrtPeft.Compilation.Objectives;
using OrtPeft.Tensors;
using OrtPeft.Testing;

namespace OrtPeft.Adapters.Tests.Goldens;

/// <summary>The mean loss of a batch and its gradient by parameter.</summary>
internal sealed record Step(double Loss, IReadOnlyDictionary<string, Tensor> Gradients)
{
    public static Step Of(PeftModel peft, IReadOnlyDictionary<string, Tensor> batch)
    {
        var graph = TrainingGraph.Build(peft, new CausalLm()).Model;
        var count = SupervisedIn(batch["labels"], peft.VirtualTokens);
        var feeds = DecoderLogits.WithPositions(batch);
        feeds[TrainingGraph.Scale] = Tensor.Scalar(1f / count);
        foreach (var (name, tensor) in peft.GetWeights())
            feeds[name] = tensor;
        var outputs = OnnxRun.Of(graph, feeds);
        Assert.Equal(count, outputs[TrainingGraph.Count].ToInt64()[0]);
        var names = peft.Parameters.Select(static p => p.Name);
        return new Step(
            outputs[TrainingGraph.LossSum].ToFloat32()[0] / count,
            names.ToDictionary(static n => n, n => outputs[TrainingGraph.GradientOf(n)]));
    }

    /// <summary>The labels that count: the first of a row only behind a virtual token.</summary>
    public static int SupervisedIn(Tensor labels, int virtualTokens = 0)
    {
        var (columns, first) = ((int)labels.Dims[1], virtualTokens > 0 ? 0 : 1);
        return labels.ToInt64().Where((label, i) => i % columns >= first && label != -100).Count();
    }
}
