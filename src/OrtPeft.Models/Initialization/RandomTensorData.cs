using System.Buffers;
using OrtPeft.Tensors.Numerics;
using OrtPeft.Tensors.Storage;

namespace OrtPeft.Models.Initialization;

/// <summary>A new weight's values: mean + deviation · normal numbers of the weight's name and the seed.</summary>
internal sealed class RandomTensorData(WeightSpec spec, ulong seed) : ComputedTensorData(spec.Count)
{
    private const int ChunkElements = 1 << 15;

    private readonly NormalNumbers _numbers = NormalNumbers.Of(seed, spec.Name);
    private readonly float _mean = spec.InitialMean;
    private readonly float _deviation = spec.InitialDeviation;

    protected override void Compute(long first, Span<float> target)
    {
        if (_deviation == 0)
        {
            target.Fill(_mean);
            return;
        }

        // Lambdas cannot capture spans: the chunks meet in an array.
        var count = target.Length;
        var buffer = ArrayPool<float>.Shared.Rent(count);
        Parallel.For(0, (count + ChunkElements - 1) / ChunkElements, chunk =>
        {
            var start = chunk * ChunkElements;
            var part = buffer.AsSpan(start, Math.Min(ChunkElements, count - start));
            _numbers.Fill(first + start, part);
            foreach (ref var value in part)
                value = _mean + (_deviation * value);
        });
        buffer.AsSpan(0, count).CopyTo(target);
        ArrayPool<float>.Shared.Return(buffer);
    }
}
