using OrtPeft.Onnx.Decoders;
using OrtPeft.Training.Data;

namespace OrtPeft.Training.Tests.Data;

/// <summary>The numbers of a batch of token rows.</summary>
internal static class BatchNumbers
{
    public static int Rows(this Batch batch) => (int)batch.Feeds[DecoderNames.Ids].Dims[0];

    public static int Columns(this Batch batch) => (int)batch.Feeds[DecoderNames.Ids].Dims[1];

    public static long[] InputIds(this Batch batch) => batch.Feeds[DecoderNames.Ids].ToInt64();

    public static long[] AttentionMask(this Batch batch) => batch.Feeds[DecoderNames.Mask].ToInt64();

    public static long[] Labels(this Batch batch) => batch.Feeds[DecoderNames.Labels].ToInt64();

    public static long[]? PositionIds(this Batch batch) =>
        batch.Feeds.GetValueOrDefault(DecoderNames.Positions)?.ToInt64();
}
