using OrtPeft.Adapters;

namespace OrtPeft.Cli.Words;

/// <summary>Names that papers and HF PEFT have for what is an option of a method here, or a method under another
/// name.</summary>
internal static class MethodWords
{
    private static readonly (string Name, string Meant)[] Elsewhere =
    [
        ("qlora", "QLoRA is lora on a quantized base: make one with ortpeft quantize, and train that with --method lora."),
        ("dora", "DoRA is --method lora --dora."),
        ("rslora", "rsLoRA is --method lora --rslora."),
        ("loraplus", "LoRA+ is --method lora --loraplus-lr-ratio 16."),
        ("lora+", "LoRA+ is --method lora --loraplus-lr-ratio 16."),
        ("pissa", "PiSSA is --method lora --init pissa."),
        ("olora", "OLoRA is --method lora --init olora."),
        ("eva", "EVA is --method lora --init eva."),
        ("loftq", "LoftQ is ortpeft quantize --loftq, whose adapter train --init-adapter continues."),
        ("adapter", "Houlsby's and Pfeiffer's adapters are --method bottleneck."),
        ("adapters", "Houlsby's and Pfeiffer's adapters are --method bottleneck."),
        ("houlsby", "Houlsby's adapters are --method bottleneck --preset houlsby."),
        ("pfeiffer", "Pfeiffer's adapters are --method bottleneck --preset pfeiffer."),
        ("prefix", "prefix tuning is --method prefix-tuning."),
        ("prompt", "prompt tuning is --method prompt-tuning."),
    ];

    /// <summary>Finds the option or method to give instead of a name that no method has.</summary>
    /// <param name="name">As it was typed.</param>
    /// <returns>A sentence; null where the name is a method's, or unlike anything known.</returns>
    public static string? Meant(string name)
    {
        string[] methods = [.. PeftMethods.All.Select(static m => m.Description.Name)];
        var plain = name.ToLowerInvariant().Replace('_', '-');
        if (methods.Contains(name, StringComparer.Ordinal))
            return null;
        return Elsewhere.FirstOrDefault(e => e.Name == plain).Meant
            ?? (Suggestion.Nearest(plain, methods) is { } near ? $"did you mean {near}?" : null);
    }
}
