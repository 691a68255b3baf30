using OrtPeft.Tensors;
using OrtPeft.Tensors.Storage;

namespace OrtPeft.Adapters.Merging;

/// <summary>Stores merged weights in the types that the graph has, and keeps what rounding to half precision loses.</summary>
/// <param name="isAllowed">Whether weights of half precision may be rounded at all.</param>
internal sealed class RoundedWeights(bool isAllowed)
{
    /// <summary>How many were rounded.</summary>
    public int Count { get; private set; }

    /// <summary>The largest ‖W − Ŵ‖ / ‖ΔW‖.</summary>
    public double RelativeError { get; private set; }

    /// <summary>The largest relative error of one number by the types.</summary>
    public double UnitRoundoff { get; private set; }

    /// <summary>Whether a weight can be stored in a type.</summary>
    public bool Allows(ElementType type) => isAllowed || !type.IsHalf();

    /// <summary>Stores a weight.</summary>
    /// <param name="name">Names it in the message.</param>
    /// <param name="before">What it was.</param>
    /// <param name="now">What it is.</param>
    /// <param name="type">The type to store it in.</param>
    /// <param name="dims">The axes.</param>
    /// <exception cref="ConfigException">A number is beyond the type.</exception>
    public Tensor Store(string name, float[] before, float[] now, ElementType type, ReadOnlySpan<long> dims)
    {
        var stored = Narrowing.ToTensor(now, type, dims);
        if (!type.IsHalf())
            return stored;
        var (lost, change) = (0.0, 0.0);
        foreach (var (i, number) in stored.ToFloat32().Index())
        {
            if (!float.IsFinite(number) && float.IsFinite(now[i]))
            {
                throw new ConfigException(
                    $"The merged {name} has the number {now[i]}, which is beyond {type}; merge into float32 (MergeForm.Float32).");
            }

            lost += Square(number - (double)now[i]);
            change += Square(now[i] - (double)before[i]);
        }

        if (change > 0)
            RelativeError = Math.Max(RelativeError, Math.Sqrt(lost / change));
        UnitRoundoff = Math.Max(UnitRoundoff, type == ElementType.Float16 ? 1.0 / (1 << 11) : 1.0 / (1 << 8));
        Count++;
        return stored;
    }

    private static double Square(double x) => x * x;
}
