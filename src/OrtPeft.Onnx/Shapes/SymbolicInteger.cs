using System.Collections.Immutable;
using System.Globalization;
using System.Text;

namespace OrtPeft.Onnx.Shapes;

/// <summary>
/// An integer known only as a polynomial in named dimensions, such as <c>batch·sequence − 1</c>; two are equal when
/// their polynomials are. Immutable and thread-safe.
/// </summary>
public sealed class SymbolicInteger : IEquatable<SymbolicInteger>
{
    private const char Times = '·';

    /// <summary>Real graphs' lengths have a handful of terms; products of sums grow with every node.</summary>
    private const int MaxTerms = 64;

    /// <summary>The characters of all monomials together: powers and nested quotients grow in length.</summary>
    private const int MaxCharacters = 4096;

    /// <summary>Below this, no coefficient has left the range of 64 bits.</summary>
    private const double MaxMagnitude = 1L << 62;

    private readonly ImmutableSortedDictionary<string, long> _terms;

    private SymbolicInteger(ImmutableSortedDictionary<string, long> terms) => _terms = terms;

    /// <summary>The value when no symbol is left in the polynomial, else null.</summary>
    public long? Constant => _terms.Count switch
    {
        0 => 0,
        1 when _terms.ContainsKey("") => _terms[""],
        _ => null,
    };

    /// <summary>The polynomial's terms: products of a coefficient and symbols, of which a power stands several times.
    /// </summary>
    public IEnumerable<(long Coefficient, IReadOnlyList<SymbolicInteger> Symbols)> Terms => _terms.Select(
        static t => (t.Value, (IReadOnlyList<SymbolicInteger>)[.. SymbolsOf(t.Key).Select(Symbol)]));

    /// <summary>
    /// A number that the polynomial never falls below while every symbol is a length, 0 or more; null where a negative
    /// coefficient leaves none.
    /// </summary>
    public long? LowerBound =>
        _terms.All(static t => t.Key.Length == 0 || t.Value > 0) ? _terms.GetValueOrDefault("") : null;

    /// <summary>
    /// Whether arithmetic may go on with the polynomial: past a few thousand characters a length that nobody can read
    /// takes memory and time that double with each node, and counts as unknown.
    /// </summary>
    internal bool IsWithinLimits =>
        _terms.Count <= MaxTerms && _terms.Sum(static t => (long)t.Key.Length) <= MaxCharacters;

    /// <summary>The sum of the coefficients' magnitudes.</summary>
    private double Magnitude => _terms.Sum(static t => Math.Abs((double)t.Value));

    /// <summary>A known integer.</summary>
    /// <param name="value">Its value.</param>
    /// <returns>The constant polynomial.</returns>
    public static SymbolicInteger Of(long value) => new(TermsOf(("", value)));

    /// <summary>A named unknown, taken as one atom whatever characters its name holds.</summary>
    /// <param name="name">The dimension's name, such as <c>batch_size</c>.</param>
    /// <returns>The polynomial that is this symbol.</returns>
    public static SymbolicInteger Symbol(string name)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        return new(TermsOf((name.Replace(Times, '*'), 1)));
    }

    /// <summary>Adds two polynomials.</summary>
    /// <param name="left">The first summand.</param>
    /// <param name="right">The second summand.</param>
    /// <returns>The sum.</returns>
    public static SymbolicInteger operator +(SymbolicInteger left, SymbolicInteger right)
    {
        var terms = left._terms.ToBuilder();
        foreach (var (monomial, coefficient) in right._terms)
            Accumulate(terms, monomial, coefficient);
        return new(terms.ToImmutable());
    }

    /// <summary>Subtracts one polynomial from another.</summary>
    /// <param name="left">The minuend.</param>
    /// <param name="right">The subtrahend.</param>
    /// <returns>The difference.</returns>
    public static SymbolicInteger operator -(SymbolicInteger left, SymbolicInteger right) => left + (Of(-1) * right);

    /// <summary>Multiplies two polynomials.</summary>
    /// <param name="left">The first factor.</param>
    /// <param name="right">The second factor.</param>
    /// <returns>The product.</returns>
    public static SymbolicInteger operator *(SymbolicInteger left, SymbolicInteger right)
    {
        var terms = TermsOf().ToBuilder();
        foreach (var (m1, c1) in left._terms)
            foreach (var (m2, c2) in right._terms)
                Accumulate(terms, Product(m1, m2), unchecked(c1 * c2));
        return new(terms.ToImmutable());
    }

    /// <summary>
    /// Floor division. Exact where every term divides; otherwise the quotient becomes a new atom named after both.
    /// </summary>
    /// <param name="dividend">The dividend.</param>
    /// <param name="divisor">The divisor; not the constant 0.</param>
    /// <returns>The quotient rounded towards negative infinity.</returns>
    /// <exception cref="DivideByZeroException"><paramref name="divisor"/> is the constant 0.</exception>
    public static SymbolicInteger operator /(SymbolicInteger dividend, SymbolicInteger divisor)
    {
        if (divisor.Constant == 0)
            throw new DivideByZeroException($"{dividend} / 0");
        if (divisor.Constant == -1)
            return Of(0) - dividend;
        if (dividend.Constant is { } a && divisor.Constant is { } b)
            return Of(FloorDivide(a, b));
        if (divisor._terms.Count == 1 && DivideByMonomial(dividend, divisor._terms.First()) is { } exact)
            return exact;
        return dividend.Equals(divisor) ? Of(1) : Symbol($"floor(({dividend})/({divisor}))".Replace(Times, '*'));
    }

    /// <summary>A sum that is exact and within the limits, else null.</summary>
    internal static SymbolicInteger? Sum(SymbolicInteger? left, SymbolicInteger? right) =>
        left is not null && right is not null && left.Magnitude + right.Magnitude < MaxMagnitude
            ? Limited(left + right)
            : null;

    /// <summary>A difference that is exact and within the limits, else null.</summary>
    internal static SymbolicInteger? Difference(SymbolicInteger? left, SymbolicInteger? right) =>
        left is not null && right is not null && left.Magnitude + right.Magnitude < MaxMagnitude
            ? Limited(left - right)
            : null;

    /// <summary>A product that is exact and within the limits, else null.</summary>
    internal static SymbolicInteger? Product(SymbolicInteger? left, SymbolicInteger? right) =>
        left is not null && right is not null && left.Magnitude * right.Magnitude < MaxMagnitude
            ? Limited(left * right)
            : null;

    /// <summary>A floor quotient within the limits, else null; null for division by 0 too.</summary>
    internal static SymbolicInteger? Quotient(SymbolicInteger? dividend, SymbolicInteger? divisor) =>
        dividend is not null && divisor is not null && divisor.Constant != 0 && dividend.Magnitude < MaxMagnitude
            ? Limited(dividend / divisor)
            : null;

    /// <summary>The polynomial's value where its symbols have the given values.</summary>
    /// <param name="symbols">Values by symbol name.</param>
    /// <returns>The integer modulo 2⁶⁴, or null when a symbol has no value.</returns>
    public long? Evaluate(IReadOnlyDictionary<string, long> symbols)
    {
        ArgumentNullException.ThrowIfNull(symbols);
        long sum = 0;
        foreach (var (monomial, coefficient) in _terms)
        {
            var term = coefficient;
            foreach (var symbol in SymbolsOf(monomial))
            {
                if (!symbols.TryGetValue(symbol, out var value))
                    return null;
                term = unchecked(term * value);
            }

            sum = unchecked(sum + term);
        }

        return sum;
    }

    /// <inheritdoc/>
    public bool Equals(SymbolicInteger? other) => ReferenceEquals(this, other)
        || (other is not null && _terms.Count == other._terms.Count && _terms.SequenceEqual(other._terms));

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as SymbolicInteger);

    /// <inheritdoc/>
    public override int GetHashCode() => ToString().GetHashCode(StringComparison.Ordinal);

    /// <summary>The polynomial as text, terms in ordinal order: <c>a·b + 2·c + 1</c>.</summary>
    /// <returns>Canonical text: equal polynomials print equally.</returns>
    public override string ToString()
    {
        var text = new StringBuilder();
        foreach (var (monomial, coefficient) in _terms.Reverse())
        {
            if (text.Length > 0)
                text.Append(" + ");
            text.Append((monomial.Length, coefficient) switch
            {
                (0, _) => coefficient.ToString(CultureInfo.InvariantCulture),
                (_, 1) => monomial,
                _ => string.Create(CultureInfo.InvariantCulture, $"{coefficient}{Times}{monomial}"),
            });
        }

        return text.Length == 0 ? "0" : text.ToString();
    }

    private static string[] SymbolsOf(string monomial) => monomial.Split(Times, StringSplitOptions.RemoveEmptyEntries);

    private static SymbolicInteger? Limited(SymbolicInteger result) => result.IsWithinLimits ? result : null;

    private static long FloorDivide(long dividend, long divisor)
    {
        var (quotient, remainder) = Math.DivRem(dividend, divisor);
        return remainder != 0 && (remainder < 0) != (divisor < 0) ? quotient - 1 : quotient;
    }

    private static SymbolicInteger? DivideByMonomial(SymbolicInteger dividend, KeyValuePair<string, long> divisor)
    {
        var quotient = TermsOf().ToBuilder();
        foreach (var (monomial, coefficient) in dividend._terms)
        {
            if (coefficient % divisor.Value != 0 || Quotient(monomial, divisor.Key) is not { } left)
                return null;
            quotient[left] = coefficient / divisor.Value;
        }

        return new(quotient.ToImmutable());
    }

    private static string Product(string left, string right)
    {
        if (left.Length == 0)
            return right;
        if (right.Length == 0)
            return left;
        return string.Join(Times, left.Split(Times).Concat(right.Split(Times)).Order(StringComparer.Ordinal));
    }

    private static string? Quotient(string monomial, string divisor)
    {
        if (divisor.Length == 0)
            return monomial;
        var factors = monomial.Split(Times).ToList();
        return divisor.Split(Times).All(factors.Remove) ? string.Join(Times, factors) : null;
    }

    private static void Accumulate(ImmutableSortedDictionary<string, long>.Builder terms, string monomial, long value)
    {
        var sum = unchecked(terms.GetValueOrDefault(monomial) + value);
        if (sum == 0)
            terms.Remove(monomial);
        else
            terms[monomial] = sum;
    }

    private static ImmutableSortedDictionary<string, long> TermsOf(
        params ReadOnlySpan<(string Monomial, long Coefficient)> terms)
    {
        var builder = ImmutableSortedDictionary.CreateBuilder<string, long>(StringComparer.Ordinal);
        foreach (var (monomial, coefficient) in terms)
            Accumulate(builder, monomial, coefficient);
        return builder.ToImmutable();
    }
}
