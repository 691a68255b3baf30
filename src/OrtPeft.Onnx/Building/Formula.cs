using OrtPeft.Tensors;

namespace OrtPeft.Onnx.Building;

/// <summary>
/// Functions of terms, for <c>using static</c>. Each adds one node of the standard operator that is named with it,
/// unless it says otherwise.
/// </summary>
internal static class Formula
{
    /// <summary><c>Exp</c>: eˣ.</summary>
    public static Term Exp(Term x) => x.Apply("Exp");

    /// <summary><c>Log</c>: ln x.</summary>
    public static Term Log(Term x) => x.Apply("Log");

    /// <summary><c>Sqrt</c>: √x.</summary>
    public static Term Sqrt(Term x) => x.Apply("Sqrt");

    /// <summary><c>Reciprocal</c>: 1/x.</summary>
    public static Term Reciprocal(Term x) => x.Apply("Reciprocal");

    /// <summary><c>Sin</c>, x in radians.</summary>
    public static Term Sin(Term x) => x.Apply("Sin");

    /// <summary><c>Cos</c>, x in radians.</summary>
    public static Term Cos(Term x) => x.Apply("Cos");

    /// <summary><c>Sign</c>: −1, 0 or 1.</summary>
    public static Term Sign(Term x) => x.Apply("Sign");

    /// <summary><c>Round</c> to the nearest whole number, halves to the even one.</summary>
    public static Term Round(Term x) => x.Apply("Round");

    /// <summary><c>Erf</c>: 2/√π · ∫₀ˣ exp(−t²) dt.</summary>
    public static Term Erf(Term x) => x.Apply("Erf");

    /// <summary><c>Sigmoid</c>: 1/(1 + e⁻ˣ).</summary>
    public static Term Sigmoid(Term x) => x.Apply("Sigmoid");

    /// <summary><c>Tanh</c>.</summary>
    public static Term Tanh(Term x) => x.Apply("Tanh");

    /// <summary><c>Pow</c>: xⁿ.</summary>
    public static Term Pow(Term x, Value n) => x.Apply("Pow", n);

    /// <summary><c>Pow</c> with a constant exponent.</summary>
    public static Term Pow(Term x, double n) => x.Apply("Pow", n);

    /// <summary><c>Max</c> of two, element by element.</summary>
    public static Term Max(Term a, Value b) => a.Apply("Max", b);

    /// <summary><c>Max</c> with a number.</summary>
    public static Term Max(Term a, double b) => a.Apply("Max", b);

    /// <summary><c>Min</c> of two, element by element.</summary>
    public static Term Min(Term a, Value b) => a.Apply("Min", b);

    /// <summary><c>Min</c> with a number.</summary>
    public static Term Min(Term a, double b) => a.Apply("Min", b);

    /// <summary><c>Equal</c>, a bool for each element.</summary>
    public static Term Equal(Term a, Value b) => a.Apply("Equal", b);

    /// <summary><c>Equal</c> with a number.</summary>
    public static Term Equal(Term a, double b) => a.Apply("Equal", b);

    /// <summary><c>Where</c>: a where the condition holds, else b; all three broadcast.</summary>
    public static Term Where(Term condition, Value a, Value b) =>
        Of(condition, condition.Builder.Where(condition, a, b));

    /// <summary><c>Where</c> with a number for the elements for which the condition does not hold.</summary>
    public static Term Where(Term condition, Term a, double b) => Where(condition, a, a.Number(b).Value);

    /// <summary><c>Where</c> with a number for the elements for which the condition holds.</summary>
    public static Term Where(Term condition, double a, Term b) => Where(condition, b.Number(a).Value, b);

    /// <summary><c>Cast</c> to an element type; no node when the term has it already.</summary>
    public static Term Cast(Term x, ElementType to) => Of(x, x.Builder.Cast(x, to));

    /// <summary><c>ReduceSum</c> over all axes, without axes.</summary>
    public static Term Sum(Term x) => Of(x, x.Builder.ReduceSum(x, [], keepDims: false));

    /// <summary><c>ReduceSum</c> over axes, negative ones counted from the end.</summary>
    public static Term Sum(Term x, ReadOnlySpan<long> axes, bool keepDims = true) =>
        Of(x, x.Builder.ReduceSum(x, axes, keepDims));

    /// <summary><c>ReduceMean</c> over axes, which stay with length 1.</summary>
    public static Term Mean(Term x, ReadOnlySpan<long> axes) => Of(x, x.Builder.ReduceMean(x, axes));

    /// <summary><c>MatMul</c>: batched product over the last two axes.</summary>
    public static Term MatMul(Term a, Value b) => a.Apply("MatMul", b);

    /// <summary><c>Softmax</c> along an axis.</summary>
    public static Term Softmax(Term x, long axis) => Of(x, x.Builder.Softmax(x, axis));

    /// <summary><c>Reshape</c> to constant lengths; 0 keeps an axis, −1 takes the rest.</summary>
    public static Term Reshape(Term x, params ReadOnlySpan<long> shape) => Of(x, x.Builder.Reshape(x, shape));

    /// <summary><c>Reshape</c> to the shape of another value; one more node where that is not known.</summary>
    public static Term ReshapeLike(Term x, Value like) => Of(x, x.Builder.ReshapeLike(x, like));

    /// <summary><c>Unsqueeze</c>: inserts axes of length 1.</summary>
    public static Term Unsqueeze(Term x, params ReadOnlySpan<long> axes) => Of(x, x.Builder.Unsqueeze(x, axes));

    private static Term Of(Term operand, Value result) => new(operand.Builder, result);
}
