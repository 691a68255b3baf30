using OrtPeft.Onnx.Decoders;

namespace OrtPeft.Adapters.Modules;

/// <summary>
/// Says of a name that nothing has where the model has the same layer packed or in parts, as builds of GenAI do that HF
/// does not.
/// </summary>
internal static class PackedNames
{
    /// <summary>A clause for the end of a message; empty where the name is no such layer's.</summary>
    /// <param name="name">A name or ending that matches nothing.</param>
    /// <param name="modules">The names of the model's modules.</param>
    public static string Hint(string name, IEnumerable<string> modules)
    {
        var (last, there) = (DecoderFamilies.Last(name), modules.Select(DecoderFamilies.Last).ToHashSet(StringComparer.Ordinal));
        foreach (var (packed, parts) in BuilderNames.PackedLayers)
        {
            if (last == packed && parts.All(there.Contains))
            {
                return $" ('{packed}' is {string.Join(", ", parts)} here: of a GenAI build, the genai_config.json beside the "
                    + "graph says whether the family's models pack them, and is not there or says otherwise)";
            }

            if (parts.Contains(last) && there.Contains(packed))
                return $" ('{last}' is a part of '{packed}' here, which is one module: take an adapter of it)";
        }

        return "";
    }
}
