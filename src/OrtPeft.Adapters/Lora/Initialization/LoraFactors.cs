using OrtPeft.Tensors;

namespace OrtPeft.Adapters.Lora.Initialization;

/// <summary>The first A and B of one layer.</summary>
/// <param name="A">[r, in] float32.</param>
/// <param name="B">[out, r] float32.</param>
internal sealed record LoraFactors(Tensor A, Tensor B)
{
    /// <summary>Whether s·B·A is a part of the base, which then goes on with the rest: W − s·B·A.</summary>
    public bool AreTakenFromBase { get; init; }

    /// <summary>Factors that are made together, when one of them is first read.</summary>
    /// <param name="start">The layer.</param>
    /// <param name="make">Makes them.</param>
    public static LoraFactors Promised(LoraStartingPoint start, Func<LoraFactors> make)
    {
        var made = new Lazy<LoraFactors>(make);
        return new LoraFactors(
            InitialWeights.Promised(() => made.Value.A, start.Rank, start.Target.InFeatures),
            InitialWeights.Promised(() => made.Value.B, start.Target.OutFeatures, start.Rank));
    }
}
