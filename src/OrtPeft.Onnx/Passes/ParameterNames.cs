using System.Globalization;
using System.Text.RegularExpressions;
using OrtPeft.Onnx.Decoders;

namespace OrtPeft.Onnx.Passes;

/// <summary>
/// Gives parameters the names they have in HF's causal language models: <c>m.transformer.h.0.ln_1.weight</c> of a
/// wrapped module and <c>h.0.ln_1.weight</c> of a bare one become <c>transformer.h.0.ln_1.weight</c>.
/// </summary>
/// <remarks>
/// Every GPT-2-like model of HF keeps its layers in <c>transformer.h</c>, every Llama-like one in <c>model.layers</c>;
/// the first of these two paths that a number follows fixes where a name begins. Names with neither are kept, but for
/// what stands beside the layers: there, what the layers' names lost at the front is taken off as well.
/// </remarks>
internal static partial class ParameterNames
{
    /// <summary>Runs the pass in place; a name that another value has already is not taken.</summary>
    /// <param name="model">The model.</param>
    public static void Run(Model model)
    {
        ArgumentNullException.ThrowIfNull(model);
        var graph = model.Graph;
        var builder = BuilderNames.Of(graph);
        var wrapper = graph.Initializers.Select(static v => WrapperOf(v.Name)).OfType<string>().FirstOrDefault() ?? "";
        foreach (var value in graph.Initializers.ToArray())
        {
            var name = Canonical(builder?.ToHf(value.Name) ?? value.Name, wrapper);
            if (name != value.Name && !value.IsGraphInput && !value.IsGraphOutput && graph.Find(name) is null)
                graph.Rename(value, name);
        }
    }

    /// <summary>The name of a module or parameter in HF's model.</summary>
    /// <param name="name">A path with dots.</param>
    /// <returns>The path from the model's root.</returns>
    public static string Canonical(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        name = Wrappers().Replace(MergedDecoder.BareName(name), "");
        var segments = name.Split('.');
        if (LayersAt(segments) is not var (at, family))
            return Head(segments) ?? name;
        var start = Array.LastIndexOf(segments, family.Root, at);
        if (start >= 0)
            return string.Join('.', segments[start..]);
        return family.IsClearWithoutRoot ? $"{family.Root}.{string.Join('.', segments[at..])}" : name;
    }

    private static string Canonical(string name, string wrapper)
    {
        var bare = name.StartsWith(wrapper, StringComparison.Ordinal) ? name[wrapper.Length..] : name;
        return DecoderFamilies.All.FirstOrDefault(f => IsBesideLayers(bare, f)) is { } family
            ? $"{family.Root}.{bare}"
            : Canonical(bare);
    }

    /// <summary>Whether a name is that of an embedding or the last normalisation without the root.</summary>
    private static bool IsBesideLayers(string name, DecoderFamily family)
    {
        if (!family.IsClearWithoutRoot || name.Split('.') is not [var module, _])
            return false;
        var whole = $"{family.Root}.{module}";
        return whole == family.TokenEmbedding || whole == family.PositionEmbedding || whole == family.FinalNorm;
    }

    /// <summary>
    /// The part before <c>transformer.h</c>, <c>model.layers</c> or a bare <c>h</c>, its dot included.
    /// </summary>
    private static string? WrapperOf(string name)
    {
        var segments = name.Split('.');
        if (LayersAt(segments) is not var (at, family))
            return null;
        var start = Array.LastIndexOf(segments, family.Root, at);
        if (start < 0 && !family.IsClearWithoutRoot)
            return null;
        return string.Concat(segments[..(start < 0 ? at : start)].Select(static s => s + "."));
    }

    /// <summary>The head's own name, wherever a wrapper keeps it.</summary>
    private static string? Head(string[] segments)
    {
        var head = Array.IndexOf(segments, DecoderFamilies.Head);
        return head > 0 ? string.Join('.', segments[head..]) : null;
    }

    /// <summary>The parts that PyTorch's compiler and parallel modules, and PEFT, put into the paths of what they
    /// wrap.</summary>
    [GeneratedRegex(
        @"(?<=^|\.)(?:_orig_mod|_fsdp_wrapped_module|_checkpoint_wrapped_module)\.|^(?:module\.|base_model\.model\.)+"
        + @"|\.(?:base_layer|original_module|modules_to_save\.[^.]+)(?=\.|$)",
        RegexOptions.CultureInvariant)]
    private static partial Regex Wrappers();

    private static (int At, DecoderFamily Family)? LayersAt(string[] segments)
    {
        for (var i = 0; i + 1 < segments.Length; i++)
        {
            var isNumbered = int.TryParse(segments[i + 1], NumberStyles.None, CultureInfo.InvariantCulture, out _);
            if (isNumbered && DecoderFamilies.ByContainer(segments[i]) is { } family)
                return (i, family);
        }

        return null;
    }
}
