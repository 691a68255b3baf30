using OrtPeft.Onnx.Shapes;
using OrtPeft.Tensors;

namespace OrtPeft.Onnx.Building;

/// <summary>
/// A value together with the builder that computes with it, so that a formula can be written as one:
/// <c>inverse * (g - Mean(g, axes) - normal * slope)</c>. Each operator adds one node of the standard operator that is
/// named with it, in the order in which C# evaluates the formula: operands first, from left to right. The second
/// operand may be a plain value. Operands broadcast as ONNX's do and have one element type. A number becomes a shared
/// constant without axes, rounded to the element type of the term beside it; whole numbers beyond 2⁵³, which no double
/// holds, come from <see cref="GraphBuilder.Int64Scalar"/>. The functions that formulas need are in
/// <see cref="Formula"/>.
/// </summary>
/// <seealso href="https://onnx.ai/onnx/repo-docs/Broadcasting.html">Broadcasting in ONNX.</seealso>
public readonly struct Term
{
    /// <summary>Makes a term of a value.</summary>
    /// <param name="builder">Adds the nodes of formulas with the term.</param>
    /// <param name="value">A value of the builder's graph.</param>
    public Term(GraphBuilder builder, Value value)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(value);
        (Builder, Value) = (builder, value);
    }

    /// <summary>Adds the nodes.</summary>
    public GraphBuilder Builder { get; }

    /// <summary>The value that the term stands for.</summary>
    public Value Value { get; }

    /// <summary>The value's element type.</summary>
    public ElementType Type => Value.Type;

    /// <summary>The value's axes, or null while even their number is unknown.</summary>
    public Shape? Shape => Value.Shape;

    /// <summary>The value alone, for verbs of the graph and the builder.</summary>
    /// <param name="term">The term.</param>
    public static implicit operator Value(Term term) => term.Value;

    /// <summary><c>Add</c>.</summary>
    public static Term operator +(Term a, Value b) => a.Apply("Add", b);

    /// <summary><c>Add</c> of a number.</summary>
    public static Term operator +(Term a, double b) => a.Apply("Add", b);

    /// <summary><c>Add</c>; the number becomes the second operand, where all constants of sums stand.</summary>
    public static Term operator +(double a, Term b) => b.Apply("Add", a);

    /// <summary><c>Sub</c>.</summary>
    public static Term operator -(Term a, Value b) => a.Apply("Sub", b);

    /// <summary><c>Sub</c> of a number.</summary>
    public static Term operator -(Term a, double b) => a.Apply("Sub", b);

    /// <summary><c>Sub</c> from a number.</summary>
    public static Term operator -(double a, Term b) => b.Number(a).Apply("Sub", b);

    /// <summary><c>Neg</c>.</summary>
    public static Term operator -(Term a) => a.Apply("Neg");

    /// <summary><c>Mul</c>, element by element.</summary>
    public static Term operator *(Term a, Value b) => a.Apply("Mul", b);

    /// <summary><c>Mul</c> by a number.</summary>
    public static Term operator *(Term a, double b) => a.Apply("Mul", b);

    /// <summary><c>Mul</c>; the number becomes the second operand, where all constants of products stand.</summary>
    public static Term operator *(double a, Term b) => b.Apply("Mul", a);

    /// <summary><c>Div</c>; of integers towards zero.</summary>
    public static Term operator /(Term a, Value b) => a.Apply("Div", b);

    /// <summary><c>Div</c> by a number.</summary>
    public static Term operator /(Term a, double b) => a.Apply("Div", b);

    /// <summary><c>Div</c> of a number.</summary>
    public static Term operator /(double a, Term b) => b.Number(a).Apply("Div", b);

    /// <summary><c>Greater</c>, a bool for each element.</summary>
    public static Term operator >(Term a, Value b) => a.Apply("Greater", b);

    /// <summary><c>Less</c>, a bool for each element.</summary>
    public static Term operator <(Term a, Value b) => a.Apply("Less", b);

    /// <summary><c>GreaterOrEqual</c>, a bool for each element.</summary>
    public static Term operator >=(Term a, Value b) => a.Apply("GreaterOrEqual", b);

    /// <summary><c>LessOrEqual</c>, a bool for each element.</summary>
    public static Term operator <=(Term a, Value b) => a.Apply("LessOrEqual", b);

    /// <summary><c>Greater</c> than a number.</summary>
    public static Term operator >(Term a, double b) => a.Apply("Greater", b);

    /// <summary><c>Less</c> than a number.</summary>
    public static Term operator <(Term a, double b) => a.Apply("Less", b);

    /// <summary><c>GreaterOrEqual</c> with a number.</summary>
    public static Term operator >=(Term a, double b) => a.Apply("GreaterOrEqual", b);

    /// <summary><c>LessOrEqual</c> with a number.</summary>
    public static Term operator <=(Term a, double b) => a.Apply("LessOrEqual", b);

    /// <summary><c>And</c> of bools.</summary>
    public static Term operator &(Term a, Value b) => a.Apply("And", b);

    /// <summary><c>Or</c> of bools.</summary>
    public static Term operator |(Term a, Value b) => a.Apply("Or", b);

    /// <summary><c>Not</c> of bools.</summary>
    public static Term operator !(Term a) => a.Apply("Not");

    /// <summary>The value's name, type and axes, for messages.</summary>
    /// <returns>As <see cref="Value.ToString"/>.</returns>
    public override string ToString() => $"{Value}";

    /// <summary>A constant in the term's element type, without axes.</summary>
    /// <param name="value">The number; rounded to the type.</param>
    /// <returns>The constant.</returns>
    /// <exception cref="UnsupportedOpException">The type is unknown, or OrtPeft has no constants of it.</exception>
    public Term Number(double value) => new(Builder, Builder.ScalarLike(Value, value));

    /// <summary>Adds a node that reads the term.</summary>
    internal Term Apply(string opType) => new(Builder, Builder.Op(opType, Value));

    /// <summary>Adds a node that reads the term and another value.</summary>
    internal Term Apply(string opType, Value second) => new(Builder, Builder.Op(opType, Value, second));

    /// <summary>Adds a node that reads the term and a number.</summary>
    internal Term Apply(string opType, double second) => Apply(opType, Number(second).Value);
}
