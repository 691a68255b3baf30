using System.Collections.Immutable;

namespace OrtPeft.Models;

/// <summary>
/// LongRoPE's divisors of the angle of each pair of a head's elements: half as many numbers as the part of a head that
/// turns has elements. Immutable; equal by value.
/// </summary>
public sealed class RopeFactors : IEquatable<RopeFactors>
{
    private readonly ImmutableArray<double> _values;

    /// <summary>Creates factors.</summary>
    /// <param name="values">One number over 0 for each pair, in order.</param>
    public RopeFactors(params IEnumerable<double> values) => _values = [.. values];

    /// <summary>How many pairs turn.</summary>
    public int Count => _values.Length;

    /// <summary>The factor of a pair.</summary>
    /// <param name="pair">The pair's number, from 0.</param>
    /// <exception cref="IndexOutOfRangeException">There are not so many.</exception>
    public double this[int pair] => _values[pair];

    /// <inheritdoc/>
    public bool Equals(RopeFactors? other) => other is not null && _values.SequenceEqual(other._values);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as RopeFactors);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(_values.Length, _values.FirstOrDefault());

    /// <summary>The numbers, as <c>config.json</c> has them.</summary>
    public override string ToString() =>
        string.Join(", ", _values.Select(static v => FormattableString.Invariant($"{v}")));
}
