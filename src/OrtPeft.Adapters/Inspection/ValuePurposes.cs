using System.Globalization;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Decoders;
using OrtPeft.Onnx.Passes;

namespace OrtPeft.Adapters.Inspection;

/// <summary>The purposes of a decoder's inputs and outputs, by Optimum's names and ONNX Runtime's older ones.</summary>
internal static class ValuePurposes
{
    /// <summary>The word for an input or output whose purpose is not known.</summary>
    public const string Unknown = "unknown";

    private static readonly Dictionary<string, string> ByName = new(StringComparer.Ordinal)
    {
        [DecoderNames.Ids] = "token ids",
        [DecoderNames.Mask] = "attention mask",
        [DecoderNames.Positions] = "positions",
        [DecoderNames.Labels] = "labels",
        [MergedDecoder.Switch] = "cache switch",
        [DecoderNames.Logits] = "logits",
        ["loss"] = "loss",
    };

    /// <summary>Names the role of a graph's input or output.</summary>
    /// <param name="value">An input or output of a main graph.</param>
    /// <param name="name">What Optimum would call it; its own name when left out.</param>
    /// <returns>
    /// Such as <c>token ids</c>, <c>past of layer 3 (key)</c> or <c>logits</c>; <see cref="Unknown"/> where the name
    /// tells nothing.
    /// </returns>
    public static string Of(Value value, string? name = null)
    {
        ArgumentNullException.ThrowIfNull(value);
        if (ByName.TryGetValue(name ?? value.Name, out var role))
            return role;
        if (value.IsGraphInput && CacheInputs.IsPast(value))
            return $"past of {Layer(value.Name)}";
        var isPresent = value.IsGraphOutput && value.Name.StartsWith(DecoderNames.Present, StringComparison.Ordinal);
        return isPresent ? $"present of {Layer(value.Name)}" : Unknown;
    }

    /// <summary>The number in a cache's name, and whether it holds keys or values where these are apart.</summary>
    private static string Layer(string name)
    {
        var words = name.Split('.', '_');
        var number = words.FirstOrDefault(static w =>
            int.TryParse(w, NumberStyles.None, CultureInfo.InvariantCulture, out _)) ?? "?";
        return words[^1] is "key" or "value" ? $"layer {number} ({words[^1]})" : $"layer {number}";
    }
}
