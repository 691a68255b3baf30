using System.Collections.Immutable;
using OrtPeft.Onnx.Numerics;
using OrtPeft.Training.Data;

namespace OrtPeft.Training.Benchmarks;

/// <summary>One batch of random tokens, the same for the same options.</summary>
internal static class RandomRows
{
    public static IReadOnlyList<Example> Create(BenchmarkOptions options)
    {
        var random = new SplitMix64(seed: 0, "benchmark");
        return [.. Enumerable.Range(0, options.BatchSize).Select(_ => Row(options, random))];
    }

    private static Example Row(BenchmarkOptions options, SplitMix64 random)
    {
        var ids = Enumerable.Range(0, options.SequenceLength)
            .Select(_ => random.NextBelow(options.VocabularySize)).ToImmutableArray();
        var labelled = Math.Max(1, (int)Math.Round(options.SequenceLength * options.Supervised));
        var first = options.SequenceLength - labelled;
        return new Example(ids, [.. ids.Select((id, i) => i < first ? Example.IgnoredLabel : id)]);
    }
}
