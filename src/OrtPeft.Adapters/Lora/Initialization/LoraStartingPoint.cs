using OrtPeft.Adapters.LinearAlgebra;
using OrtPeft.Tensors;

namespace OrtPeft.Adapters.Lora.Initialization;

/// <summary>One layer, as an initialiser sees it.</summary>
internal sealed class LoraStartingPoint(LoraTarget target, LoraConfig config, long seed)
{
    public LoraTarget Target => target;

    public LoraInit Init => config.InitLoraWeights;

    /// <summary>The rank r.</summary>
    public int Rank { get; } = config.RankOf(target.PatternName);

    /// <summary>The rows of A: the rank, as often as parts of the layer have an A of their own.</summary>
    private int RowsOfA => Rank * target.Copies * (EnabledParts.Of(config)?.Count ?? 1);

    /// <summary>The rows of B: the layer's outputs, or those of the adapted parts.</summary>
    private int RowsOfB => EnabledParts.Of(config)?.RowsOfB(target.OutFeatures) ?? target.OutFeatures;

    /// <summary>The scale s.</summary>
    public double Scale { get; } = config.ScaleOf(target.PatternName);

    /// <summary>The number at the end of the initialiser's name.</summary>
    public int Iterations { get; private init; }

    /// <summary>The same layer for an initialiser with a number.</summary>
    public LoraStartingPoint With(int iterations) => new(target, config, seed) { Iterations = iterations };

    /// <summary>W as [out, in], whatever its layout; a copy in float64.</summary>
    public Matrix Weight() => Oriented(LoraMerge.Weight(target));

    /// <summary>Numbers in the weight's layout, as [out, in]; a copy in float64.</summary>
    public Matrix Oriented(float[] numbers)
    {
        var dims = target.Dims;
        var stored = Matrix.Of((int)dims[0], (int)dims[1], numbers);
        return target.IsOutByIn ? stored : stored.Transposed();
    }

    public Tensor ZeroB() => InitialWeights.Zeros(RowsOfB, Rank * target.Copies);

    public Tensor KaimingA() => InitialWeights.Kaiming(seed, target.NameOfA, RowsOfA, target.InFeatures);

    public Tensor KaimingB() => InitialWeights.Kaiming(seed, target.NameOfB, RowsOfB, Rank * target.Copies);

    public Tensor NormalA(double deviation) =>
        InitialWeights.Normal(seed, target.NameOfA, deviation, RowsOfA, target.InFeatures);

    public Tensor NormalB(double deviation) =>
        InitialWeights.Normal(seed, target.NameOfB, deviation, RowsOfB, Rank);

    public Tensor UniformB(double bound) => InitialWeights.Uniform(seed, target.NameOfB, bound, RowsOfB, Rank);

    /// <summary>A matrix of standard normal numbers for a purpose.</summary>
    public Matrix Normal(int rows, int columns, string purpose) => Matrix.Of(
        rows, columns, InitialWeights.Normal(seed, $"{target.Name}/{purpose}", 1, rows, columns).ToFloat32());

    /// <summary>
    /// The same whatever the run's seed, so that loading an adapter derives the same rest of the base.
    /// </summary>
    public Matrix FixedNormal(int rows, int columns) => Matrix.Of(
        rows, columns, InitialWeights.Normal(0, $"{target.Name}/start", 1, rows, columns).ToFloat32());

    /// <summary>An error where the rank is more than the weight's own.</summary>
    public void RequireRankWithinWeight()
    {
        var most = Math.Min(target.InFeatures, target.OutFeatures);
        if (Rank > most)
            throw new ConfigException(
                $"init_lora_weights '{Init}' takes r directions out of {target.Name} [{target.OutFeatures}, "
                + $"{target.InFeatures}], but r is {Rank}; give at most {most}.");
    }
}
