using FsCheck;
using FsCheck.Fluent;
using OrtPeft.Onnx.Shapes;

namespace OrtPeft.Onnx.Tests.Shapes;

/// <summary>Laws of arithmetic, checked on random polynomials by what they come to at random points.</summary>
public sealed class SymbolicIntegerTests
{
    private static readonly string[] Names = ["batch", "sequence", "past", "past_sequence_length + 1"];

    private static readonly Config Fixed = Config.QuickThrowOnFailure.WithReplay(20260101, 7);

    [Fact]
    public void Add_IsTheSumAtEveryPoint() => Check(static (a, b, at) =>
        (a + b).Evaluate(at) == unchecked(a.Evaluate(at) + b.Evaluate(at)));

    [Fact]
    public void Subtract_IsTheDifferenceAtEveryPoint() => Check(static (a, b, at) =>
        (a - b).Evaluate(at) == unchecked(a.Evaluate(at) - b.Evaluate(at)));

    [Fact]
    public void Multiply_IsTheProductAtEveryPoint() => Check(static (a, b, at) =>
        (a * b).Evaluate(at) == unchecked(a.Evaluate(at) * b.Evaluate(at)));

    [Fact]
    public void Multiply_InEitherOrder_IsEqual() => Check(static (a, b, _) => (a * b).Equals(b * a));

    [Fact]
    public void Add_ThenSubtract_IsTheSame() => Check(static (a, b, _) => (a + b - b).Equals(a));

    [Fact]
    public void Multiply_OfASum_Distributes() => Check(static (a, b, _) => ((a + b) * a).Equals((a * a) + (b * a)));

    [Fact]
    public void Divide_OfAMultipleOfAMonomial_IsExact() => Check(static (a, _, _) =>
    {
        var monomial = SymbolicInteger.Of(3) * SymbolicInteger.Symbol("batch");
        return (a * monomial / monomial).Equals(a);
    });

    [Fact]
    public void Divide_ByItself_IsOne() => Check(static (a, _, _) =>
        a.Constant == 0 || (a / a).Equals(SymbolicInteger.Of(1)));

    [Fact]
    public void ToString_OfUnequalPolynomials_Differs() => Check(static (a, b, _) =>
        a.Equals(b) == (a.ToString() == b.ToString()));

    [Fact]
    public void GetHashCode_OfEqualPolynomials_IsEqual() => Check(static (a, b, _) =>
        (a + b).GetHashCode() == (b + a).GetHashCode());

    [Fact]
    public void LowerBound_IsNeverAboveTheValue() => Check(static (a, _, at) =>
        a.LowerBound is not { } bound || bound <= a.Evaluate(at));

    [Theory]
    [InlineData(7, 2, 3)]
    [InlineData(-7, 2, -4)]
    [InlineData(7, -2, -4)]
    [InlineData(-7, -2, 3)]
    [InlineData(6, -3, -2)]
    [InlineData(long.MinValue, -1, long.MinValue)]
    public void Divide_OfNumbers_RoundsDown(long dividend, long divisor, long quotient) =>
        Assert.Equal(quotient, (SymbolicInteger.Of(dividend) / SymbolicInteger.Of(divisor)).Constant);

    [Fact]
    public void Divide_ByZero_Throws() => Assert.Throws<DivideByZeroException>(
        static () => SymbolicInteger.Symbol("n") / SymbolicInteger.Of(0));

    [Fact]
    public void Divide_WithARemainder_IsAnAtomThatEqualsItself()
    {
        var n = SymbolicInteger.Symbol("n");

        var half = n / SymbolicInteger.Of(2);

        Assert.Equal(half, n / SymbolicInteger.Of(2));
        Assert.Null(half.Constant);
    }

    [Fact]
    public void Evaluate_WithoutAValueForASymbol_IsNull() =>
        Assert.Null(SymbolicInteger.Symbol("n").Evaluate(new Dictionary<string, long>()));

    [Fact]
    public void Multiply_OfMonomialsOnly_IsLimitedToo()
    {
        var power = SymbolicInteger.Symbol("n");
        while (power.IsWithinLimits)
            power *= power;

        Assert.Null(SymbolicInteger.Product(power, SymbolicInteger.Of(1)));
    }

    [Fact]
    public void Sum_BeyondTheLimits_IsUnknown()
    {
        var symbols = Enumerable.Range(0, 65).Select(static i => SymbolicInteger.Symbol($"n{i}"));

        var sum = symbols.Aggregate<SymbolicInteger, SymbolicInteger?>(SymbolicInteger.Of(0), SymbolicInteger.Sum);

        Assert.Null(sum);
    }

    [Theory]
    [InlineData(long.MaxValue, 2)]
    [InlineData(long.MinValue, -1)]
    [InlineData(1L << 32, 1L << 32)]
    public void Product_BeyondInt64_IsUnknown(long a, long b) =>
        Assert.Null(SymbolicInteger.Product(SymbolicInteger.Of(a), SymbolicInteger.Of(b)));

    private static void Check(Func<SymbolicInteger, SymbolicInteger, Dictionary<string, long>, bool> law)
    {
        var cases =
            from a in Polynomials
            from b in Polynomials
            from at in Points
            select (a, b, at);
        Prop.ForAll(cases.ToArbitrary(), t => law(t.a, t.b, t.at)).Check(Fixed);
    }

    private static Gen<Dictionary<string, long>> Points =>
        from values in Gen.Choose(0, 50).ArrayOf(Names.Length)
        select Names.Zip(values).ToDictionary(static p => p.First, static p => (long)p.Second);

    private static Gen<SymbolicInteger> Polynomials =>
        from terms in Terms.ArrayOf(4)
        select terms.Aggregate(SymbolicInteger.Of(0), static (sum, term) => sum + term);

    private static Gen<SymbolicInteger> Terms =>
        from coefficient in Gen.Choose(-5, 5)
        from factors in Gen.Elements(Names).ArrayOf(2)
        from degree in Gen.Choose(0, 2)
        select factors.Take(degree).Aggregate(
            SymbolicInteger.Of(coefficient),
            static (product, name) => product * SymbolicInteger.Symbol(name));
}
