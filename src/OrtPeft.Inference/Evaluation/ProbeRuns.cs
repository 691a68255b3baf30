using Microsoft.ML.OnnxRuntime;
using OrtPeft.Runtime.Feeding;
using OrtPeft.Runtime.Sessions;

namespace OrtPeft.Inference.Evaluation;

/// <summary>Runs a model on rows of tokens of one length.</summary>
internal sealed class ProbeRuns(ModelSession session, DecoderInputs inputs, string output)
{
    public ProbeLogits Run(long[] ids, int rows)
    {
        using var feeds = inputs.Feed(ids, rows);
        using var options = new RunOptions();
        using var value = session.Session.Run(options, feeds.Values, [output])[0];
        var logits = new LogitRows(value);
        var numbers = new float[logits.Count * logits.Width];
        for (var i = 0; i < logits.Count; i++)
            logits[i].CopyTo(numbers.AsSpan(i * logits.Width));
        return new ProbeLogits([.. value.GetTensorTypeAndShape().Shape], numbers);
    }
}
