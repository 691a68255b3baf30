using OrtPeft.Onnx.Shapes;

namespace OrtPeft.Onnx.Tests.Corpus;

/// <summary>Concrete lengths for the names that the fixtures' exporters give to axes.</summary>
public sealed record Sizes(long Batch, long Sequence, long Past)
{
    public IReadOnlyDictionary<string, long> BySymbol => new Dictionary<string, long>(StringComparer.Ordinal)
    {
        ["batch"] = Batch,
        ["batch_size"] = Batch,
        ["sequence"] = Sequence,
        ["sequence_length"] = Sequence,
        ["seq_len"] = Sequence,
        ["past_sequence_length"] = Past,
        ["past_seq_len"] = Past,
        ["past_sequence_length + 1"] = Past + Sequence,
        ["attention_mask_sequence_length"] = Past + Sequence,
        ["total_seq_len"] = Past + Sequence,
    };

    public long[] Of(Shape shape) => [.. shape.Select(d => d.Expression!.Evaluate(BySymbol)!.Value)];
}
