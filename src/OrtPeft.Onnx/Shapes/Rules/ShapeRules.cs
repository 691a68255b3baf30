using System.Collections.Frozen;

namespace OrtPeft.Onnx.Shapes.Rules;

/// <summary>The table of all rules by domain and operator. A second row for an operator is an error at start.</summary>
internal static class ShapeRules
{
    public static FrozenDictionary<(string Domain, string Op), ShapeRow> ByOp { get; } =
        new[]
        {
            ElementwiseRules.Rows,
            ReductionRules.Rows,
            LinearRules.Rows,
            LayoutRules.Rows,
            PartitionRules.Rows,
            IndexingRules.Rows,
            SelectionRules.Rows,
            NormalizationRules.Rows,
            ConstantRules.Rows,
            QuantizationRules.Rows,
            ControlFlowRules.Rows,
            FusedRules.Rows,
            AttentionRules.Rows,
        }
        .SelectMany(static rows => rows)
        .ToDictionary(static row => (row.Domain, row.Op))
        .ToFrozenDictionary();
}
