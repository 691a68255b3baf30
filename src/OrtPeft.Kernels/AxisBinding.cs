using System.Globalization;

namespace OrtPeft.Kernels;

/// <summary>The lengths that a signature's axes have in one node. Not thread-safe.</summary>
/// <typeparam name="T">A length: a number in a run, a symbolic one in a graph.</typeparam>
/// <param name="of">Makes a length of a number.</param>
/// <param name="differ">Whether two lengths surely differ.</param>
internal sealed class AxisBinding<T>(Func<long, T> of, Func<T, T, bool> differ)
{
    private readonly Dictionary<string, T> _lengths = new(StringComparer.Ordinal);
    private IReadOnlyList<T>? _leading;

    /// <summary>Takes the lengths of an operand over.</summary>
    /// <param name="operand">The operand.</param>
    /// <param name="dims">Its axes.</param>
    /// <returns>What does not fit, or null.</returns>
    public string? Bind(Operand operand, IReadOnlyList<T> dims)
    {
        var axes = operand.Axes;
        if (axes.IsOpen)
            return null;
        var leading = dims.Count - axes.Names.Length;
        if (leading < 0 || (leading > 0 && !axes.HasLeading))
            return Misfit(operand, dims, [.. axes.HasLeading ? ["..."] : (string[])[], .. axes.Names.Select(LengthOf)]);
        if (axes.HasLeading)
            _leading ??= [.. dims.Take(leading)];
        foreach (var (index, name) in axes.Names.Index())
        {
            if (name != "*" && !IsNumber(name, out _))
                _lengths.TryAdd(name, dims[leading + index]);
        }

        var expected = Of(axes, dims);
        return expected.Count == dims.Count && !expected.Zip(dims).Any(pair => differ(pair.First, pair.Second))
            ? null
            : Misfit(operand, dims, expected);
    }

    /// <summary>The lengths of an operand's axes; null where one of them is not known.</summary>
    public IReadOnlyList<T>? Of(AxisPattern axes) =>
        axes.IsOpen || (axes.HasLeading && _leading is null)
            || !axes.Names.All(n => _lengths.ContainsKey(n) || IsNumber(n, out _))
            ? null
            : Of(axes, []);

    /// <summary>Axes of any length are taken from where the pattern stands.</summary>
    private List<T> Of(AxisPattern axes, IReadOnlyList<T> dims)
    {
        List<T> all = [.. axes.HasLeading ? _leading! : []];
        foreach (var name in axes.Names)
        {
            if (_lengths.TryGetValue(name, out var length))
                all.Add(length);
            else
                all.Add(IsNumber(name, out var number) ? of(number) : dims[all.Count]);
        }

        return all;
    }

    private string LengthOf(string name) => _lengths.TryGetValue(name, out var length) ? $"{length}" : name;

    private static string Misfit<TExpected>(
        Operand operand, IReadOnlyList<T> dims, IReadOnlyList<TExpected> expected) =>
        $"{operand.Name} is [{string.Join(", ", dims)}], not [{string.Join(", ", expected)}]";

    private static bool IsNumber(string name, out long number) =>
        long.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out number);
}
