namespace OrtPeft.Adapters;

/// <summary>A method's row in the tables of help texts and README.</summary>
public sealed record MethodDescription
{
    /// <summary>The name on the command line, such as <c>lora</c>.</summary>
    public required string Name { get; init; }

    /// <summary>The name in <c>adapter_config.json</c>, such as <c>LORA</c>.</summary>
    public required string PeftType { get; init; }

    /// <summary>The usual name, such as <c>LoRA</c>.</summary>
    public required string Title { get; init; }

    /// <summary>Where it was published; null for what needs no paper.</summary>
    public Uri? Paper { get; init; }

    /// <summary>The trained parts, in half a sentence.</summary>
    public required string Trains { get; init; }

    /// <summary>Whether HF PEFT has the method, so that its files interchange. Default true.</summary>
    public bool IsInHfPeft { get; init; } = true;

    /// <summary>The options that stand for fields of its configuration, in the order of the help page.</summary>
    public IReadOnlyList<MethodOption> Options { get; init; } = [];

    /// <summary>Why the trained weights cannot be folded into the base; null (default) when they can.</summary>
    public string? WhyNotMergeable { get; init; }
}
