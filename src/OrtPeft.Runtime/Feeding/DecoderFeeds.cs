using Microsoft.ML.OnnxRuntime;

namespace OrtPeft.Runtime.Feeding;

/// <summary>
/// The values that one run of a decoder is fed, by input name. It owns the values: dispose it after the run, not
/// before. Values that the caller feeds itself can be added; they are owned from then on. Not thread-safe.
/// </summary>
internal sealed class DecoderFeeds : IDisposable
{
    private readonly Dictionary<string, OrtValue> _values = new(StringComparer.Ordinal);

    /// <summary>The values by input name, as <see cref="InferenceSession.Run(RunOptions,
    /// IReadOnlyDictionary{string, OrtValue}, IReadOnlyCollection{string})"/> takes them.</summary>
    public IReadOnlyDictionary<string, OrtValue> Values => _values;

    /// <summary>Adds a value, such as labels, and takes it over.</summary>
    /// <param name="input">The input's name.</param>
    /// <param name="value">What to feed; disposed with the feeds.</param>
    /// <exception cref="ArgumentException">The input has a value already; the given one is not taken over.</exception>
    public void Add(string input, OrtValue value) => _values.Add(input, value);

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var value in _values.Values)
            value.Dispose();
        _values.Clear();
    }
}
