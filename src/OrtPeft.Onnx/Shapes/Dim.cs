using System.Globalization;

namespace OrtPeft.Onnx.Shapes;

/// <summary>One axis of a shape: a number, an expression in named dimensions, or unknown.</summary>
public readonly record struct Dim
{
    private Dim(SymbolicInteger? expression) => Expression = expression;

    /// <summary>An axis of which nothing is known. It is not assumed equal to another unknown axis.</summary>
    public static Dim Unknown => default;

    /// <summary>The axis as an expression, or null when unknown.</summary>
    public SymbolicInteger? Expression { get; }

    /// <summary>The axis' length when it is a plain number, else null.</summary>
    public long? Value => Expression?.Constant;

    /// <summary>The axis' length as a number of rows, columns or words; null when it is not a plain number.</summary>
    /// <exception cref="GraphException">It is below 1 or above 2³¹ − 1.</exception>
    public int? ToCount() => Value is null or (>= 1 and <= int.MaxValue)
        ? (int?)Value
        : throw new GraphException(
            $"An axis has the fixed length {Value}; from 1 to {int.MaxValue} can be worked with. Export the model with "
            + "dynamic axes.");

    /// <summary>Whether anything is known of the axis.</summary>
    public bool IsKnown => Expression is not null;

    /// <summary>A fixed length.</summary>
    /// <param name="value">The length, 0 or more.</param>
    public static implicit operator Dim(long value) => new(SymbolicInteger.Of(value));

    /// <summary>An expression as an axis.</summary>
    /// <param name="expression">The expression, or null for unknown.</param>
    /// <returns>The axis.</returns>
    public static Dim Of(SymbolicInteger? expression) => new(expression);

    /// <summary>A named axis, as ONNX's <c>dim_param</c>.</summary>
    /// <param name="name">The name; empty means unknown.</param>
    /// <returns>The axis.</returns>
    public static Dim Named(string name) => name.Length == 0 ? Unknown : new(SymbolicInteger.Symbol(name));

    /// <summary>Whether both axes are surely of the same length.</summary>
    /// <param name="other">The other axis.</param>
    /// <returns>True when both are known and equal; false when they differ or may differ.</returns>
    public bool SurelyEquals(Dim other) => Expression is not null && Expression.Equals(other.Expression);

    /// <inheritdoc/>
    public override string ToString() =>
        Value?.ToString(CultureInfo.InvariantCulture) ?? Expression?.ToString() ?? "?";
}
