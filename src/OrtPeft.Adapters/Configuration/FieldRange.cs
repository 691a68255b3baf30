namespace OrtPeft.Adapters.Configuration;

/// <summary>The ranges of a configuration's numbers; what is outside is an error that names field and value.</summary>
internal static class FieldRange
{
    /// <summary>Refuses a number out of range.</summary>
    /// <param name="isIn">Whether it is in range.</param>
    /// <param name="field">The field's name.</param>
    /// <param name="value">The number.</param>
    /// <param name="range">The range, as what the number must be.</param>
    /// <exception cref="ConfigException">It is out of range.</exception>
    public static void Require(bool isIn, string field, double value, string range)
    {
        if (!isIn)
            throw new ConfigException(FormattableString.Invariant($"{field} is {value}; it must be {range}."));
    }

    /// <summary>Whole numbers from 1 on; null passes.</summary>
    public static void AtLeastOne(string field, int? value) =>
        Require(value is null or >= 1, field, value ?? 1, "at least 1");

    /// <summary>Ranks, those of single modules too.</summary>
    public static void Ranks(int r, IEnumerable<KeyValuePair<string, int>> pattern)
    {
        foreach (var rank in pattern.Select(static p => p.Value).Append(r))
            AtLeastOne("r (rank)", rank);
    }

    /// <summary>Any number but infinities and NaN.</summary>
    public static void Finite(string field, double value) =>
        Require(double.IsFinite(value), field, value, "a finite number");

    /// <summary>The probability of being dropped: not everything may be.</summary>
    public static void Dropout(string field, double value) =>
        Require(value is >= 0 and < 1, field, value, "at least 0 and below 1");
}
