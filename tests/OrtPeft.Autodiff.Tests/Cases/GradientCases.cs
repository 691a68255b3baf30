using System.Collections.Frozen;
using OrtPeft.Autodiff.Tests.Proof;

namespace OrtPeft.Autodiff.Tests.Cases;

/// <summary>All rows by name.</summary>
internal static class GradientCases
{
    public static FrozenDictionary<string, GradientCase> ByName { get; } =
        new[]
        {
            ElementwiseCases.Rows, PowCases.Rows, ActivationCases.Rows, ReductionCases.Rows, LinearCases.Rows,
            EinsumCases.Rows, ConvolutionCases.Rows, ShapeChangingCases.Rows, WindowCases.Rows, SelectionCases.Rows,
            ScatterCases.Rows, NormalizationCases.Rows, LossCases.Rows, RepetitionCases.Rows,
            NotDifferentiableCases.Rows,
        }
        .SelectMany(static rows => rows)
        .ToFrozenDictionary(static row => row.Name, StringComparer.Ordinal);

    /// <summary>In a stable order, for theories.</summary>
    public static TheoryData<string> Names => [.. ByName.Keys.Order(StringComparer.Ordinal)];
}
