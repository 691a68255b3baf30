using OrtPeft.Onnx;
using OrtPeft.Onnx.Passes;
using OrtPeft.Tensors;

namespace OrtPeft.Testing;

/// <summary>A decoder's answers without a cache and without dropout.</summary>
internal static class DecoderLogits
{
    /// <summary>The logits for a batch of tokens.</summary>
    public static Tensor Of(Model model, IReadOnlyDictionary<string, Tensor> batch)
    {
        var copy = model.Clone();
        foreach (var output in copy.Graph.Outputs.Skip(1).ToArray())
            copy.Graph.RemoveOutput(output);
        copy.Graph.RemoveDeadCode();
        PastRemoval.Run(copy);
        DropoutLowering.ForEvaluation(copy);
        return OnnxRun.Of(copy, Feeds.Of(copy.Graph, batch))["logits"];
    }

    /// <summary>Adds the positions that HF takes when none are given: 0, 1, 2, … in every row.</summary>
    public static Dictionary<string, Tensor> WithPositions(IReadOnlyDictionary<string, Tensor> batch)
    {
        var dims = batch["input_ids"].Dims;
        var positions = Enumerable.Range(0, (int)(dims[0] * dims[1])).Select(i => i % dims[1]).ToArray();
        var feeds = new Dictionary<string, Tensor>(batch);
        feeds.TryAdd("position_ids", Tensor.Of<long>(positions, dims.AsSpan()));
        return feeds;
    }
}
