using System.Collections.Immutable;
using System.Globalization;
using OrtPeft.Onnx.Decoders;
using OrtPeft.Runtime.Feeding;
using OrtPeft.Tensors;
using OrtPeft.Tensors.Numerics;
using OrtPeft.Training.Data;

namespace OrtPeft.Cli.Bench;

/// <summary>Random tokens, the same for the same arguments.</summary>
internal static class RandomRows
{
    /// <summary>One batch of rows.</summary>
    /// <param name="count">Rows.</param>
    /// <param name="length">Tokens of a row.</param>
    /// <param name="supervised">The part of each row, its end, that has labels.</param>
    /// <param name="vocabulary">Ids are drawn from 0 up to this.</param>
    /// <exception cref="ArgumentException">A number is out of its range.</exception>
    public static IReadOnlyList<Example> Create(int count, int length, double supervised, int vocabulary)
    {
        SettingException.ThrowIfBelow(count, 1, "BatchSize");
        SettingException.ThrowIfBelow(length, 2, "SequenceLength");
        if (supervised is not (> 0 and <= 1))
        {
            throw new SettingException(string.Create(
                CultureInfo.InvariantCulture, $"The supervised part is {supervised}; it must be above 0, up to 1."));
        }

        var tokens = Tokens(FeedSize.Of(count, length), vocabulary);
        var labelled = Math.Max(1, (int)Math.Round(length * supervised));
        return [.. tokens.Chunk(length).Select(row => Row(row, length - labelled))];
    }

    /// <summary>Token ids from 0 up to a vocabulary's size.</summary>
    /// <exception cref="ArgumentException">The vocabulary is empty.</exception>
    public static int[] Tokens(int count, int vocabulary)
    {
        SettingException.ThrowIfBelow(vocabulary, 1, "vocabulary size");
        var random = new SplitMix64(seed: 0, "benchmark");
        return [.. Enumerable.Range(0, count).Select(_ => random.NextBelow(vocabulary))];
    }

    private static Example Row(int[] ids, int first)
    {
        var labels = ids.Select((id, i) => i < first ? DecoderLabels.Ignored : id);
        return new Example([.. ids], labels.ToImmutableArray());
    }
}
