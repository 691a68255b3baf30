namespace OrtPeft.Adapters.Modules;

/// <summary>
/// The names that HF PEFT gives an adapter's tensors: <c>base_model.model.</c>, the module's path in the source model,
/// and which tensor of the module it is, such as <c>lora_A.weight</c>.
/// </summary>
internal static class HfName
{
    /// <summary>LoRA's name for A of a linear layer, [r, in].</summary>
    public const string LoraA = "lora_A.weight";

    /// <summary>LoRA's name for B of a linear layer, [out, r].</summary>
    public const string LoraB = "lora_B.weight";

    /// <summary>LoRA's name for A of an embedding, [r, vocabulary].</summary>
    public const string LoraEmbeddingA = "lora_embedding_A";

    /// <summary>LoRA's name for B of an embedding, [hidden, r].</summary>
    public const string LoraEmbeddingB = "lora_embedding_B";

    /// <summary>The modules that HF PEFT takes for an embedding or a head by their names, whatever the model
    /// is.</summary>
    internal static readonly string[] EmbeddingLayers = ["embed_tokens", "lm_head"];

    /// <summary>The prefix of every name in a file, except for <see cref="OfShared"/>.</summary>
    public const string Root = $"{Wrapper}model.";

    private const string Wrapper = "base_model.";

    private const string StartSuffix = ".start";

    /// <summary>Whether a module is A or B that LoRA put into another.</summary>
    internal static bool IsLora(string module) =>
        module.Split('.').Any(static part => part is "lora_A" or "lora_B");

    /// <summary>The name of a tensor that stands for one of the base's own.</summary>
    /// <param name="parameter">Its path in the source model, such as <c>transformer.ln_f.weight</c>.</param>
    /// <returns>Such as <c>base_model.model.transformer.ln_f.weight</c>.</returns>
    public static string Of(string parameter) => Root + parameter;

    /// <summary>The name of an adapter's tensor in a module.</summary>
    /// <param name="module">The module's path in the source model.</param>
    /// <param name="part">Which of its tensors, such as <see cref="LoraA"/>.</param>
    /// <returns>Such as <c>base_model.model.transformer.h.0.attn.c_attn.lora_A.weight</c>.</returns>
    public static string Of(string module, string part) => $"{Root}{module}.{part}";

    /// <summary>The name of a tensor that all modules share.</summary>
    /// <param name="part">Which it is, such as <c>vera_A</c>.</param>
    /// <returns>Such as <c>base_model.vera_A</c>.</returns>
    public static string OfShared(string part) => Wrapper + part;

    /// <summary>Where an adapted graph keeps what a parameter was before training; HF PEFT's files do not have
    /// it.</summary>
    internal static string StartOf(string parameter) => parameter + StartSuffix;

    /// <summary>Whether <see cref="StartOf"/> gave a name.</summary>
    internal static bool IsStart(string name) => name.EndsWith(StartSuffix, StringComparison.Ordinal);

    /// <summary>Whether a name is a module's tensor of this kind.</summary>
    /// <param name="name">A tensor's name.</param>
    /// <param name="part">Which tensor, such as <see cref="LoraA"/>.</param>
    /// <returns>Whether it ends so.</returns>
    public static bool IsPart(string name, string part)
    {
        ArgumentNullException.ThrowIfNull(name);
        ArgumentNullException.ThrowIfNull(part);
        return name.Length > part.Length && name[^(part.Length + 1)] == '.'
            && name.EndsWith(part, StringComparison.Ordinal);
    }

    /// <summary>LoRA's A and B, of linear layers and of embeddings.</summary>
    public static IReadOnlyList<(string A, string B)> LoraPairs { get; } = [(LoraA, LoraB), (LoraEmbeddingA, LoraEmbeddingB)];

    /// <summary>Whether a name is that of LoRA's A in some module.</summary>
    public static bool IsLoraA(string name) => LoraPairs.Any(p => IsPart(name, p.A));

    /// <summary>The name of the B that belongs to an A.</summary>
    public static string LoraBOf(string nameOfA)
    {
        var (a, b) = PairOf(nameOfA);
        return nameOfA[..^a.Length] + b;
    }

    /// <summary>The module of an A, its path in the source model.</summary>
    public static string ModuleOfLoraA(string nameOfA) => ModuleOf(nameOfA, PairOf(nameOfA).A);

    private static (string A, string B) PairOf(string nameOfA) => LoraPairs.First(p => IsPart(nameOfA, p.A));

    /// <summary>The module of a tensor.</summary>
    /// <param name="name">What <see cref="Of(string, string)"/> gave.</param>
    /// <param name="part">Which tensor of the module it is.</param>
    /// <returns>The module's path in the source model.</returns>
    public static string ModuleOf(string name, string part)
    {
        ArgumentNullException.ThrowIfNull(name);
        ArgumentNullException.ThrowIfNull(part);
        return name[Root.Length..^(part.Length + 1)];
    }

    /// <summary>Whether a part of a module is its bias, whatever wraps it.</summary>
    public static bool IsBias(string part) => part is "bias" or "base_layer.bias";

    /// <summary>The part of a name after a module's path.</summary>
    /// <param name="name">A tensor's name.</param>
    /// <param name="module">The module's path in the source model.</param>
    /// <returns>Such as <c>lora_A.weight</c>, or null where the tensor is not of this module.</returns>
    public static string? PartOf(string name, string module)
    {
        ArgumentNullException.ThrowIfNull(name);
        var start = Of(module, "");
        return name.StartsWith(start, StringComparison.Ordinal) ? name[start.Length..] : null;
    }
}
