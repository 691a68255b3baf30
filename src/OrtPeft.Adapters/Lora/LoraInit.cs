using System.Text.Json.Nodes;
using OrtPeft.Adapters.Lora.Initialization;

namespace OrtPeft.Adapters.Lora;

/// <summary>
/// How A and B start, as HF PEFT's <c>init_lora_weights</c>: true, false or a name. Text and truth values convert to
/// it.
/// </summary>
/// <param name="Name"><c>true</c>, <c>false</c>, or a name in the table of <c>LoraInitialisers</c>.</param>
public sealed record LoraInit(string Name)
{
    /// <summary>A uniform as Kaiming, B zero: the model starts as the base. The default.</summary>
    public static LoraInit Kaiming { get; } = new("true");

    /// <summary>B random too.</summary>
    public static LoraInit Random { get; } = new("false");

    /// <summary>A normal with the standard deviation 1/r, B zero.</summary>
    public static LoraInit Gaussian { get; } = new("gaussian");

    /// <summary>The r largest singular directions of the weight, taken out of it; exact.</summary>
    /// <seealso href="https://arxiv.org/abs/2404.02948">Meng et al., PiSSA, section 3.</seealso>
    public static LoraInit Pissa { get; } = new("pissa");

    /// <summary>The first r columns of the weight's QR decomposition, taken out of it.</summary>
    /// <seealso href="https://arxiv.org/abs/2406.01775">Büyükakyüz, OLoRA, algorithm 1.</seealso>
    public static LoraInit Olora { get; } = new("olora");

    /// <summary>A and B random with B·A = 0; needs an even rank.</summary>
    /// <seealso href="https://datta0.github.io/posts/rethink-lora-init/">Datta, Rethinking LoRA
    /// initialisation.</seealso>
    public static LoraInit Orthogonal { get; } = new("orthogonal");

    /// <summary>
    /// A from the principal axes of what the layers read, B zero. The axes are computed from data beforehand; until
    /// then A is <see cref="Kaiming"/>'s.
    /// </summary>
    /// <seealso href="https://arxiv.org/abs/2410.07170">Paischer et al., EVA, section 3.</seealso>
    public static LoraInit Eva { get; } = new("eva");

    /// <summary>
    /// A and B from what quantising the base lost. Base and adapter are made together, by <c>LoftqQuantizer</c>; with
    /// the weights at hand such an adapter is like any other, without them it is refused.
    /// </summary>
    /// <seealso href="https://arxiv.org/abs/2310.08659">Li et al., LoftQ, algorithm 1.</seealso>
    public static LoraInit Loftq { get; } = new("loftq");

    /// <summary>Whether the start is a decomposition of the base's weight by random numbers, which another program
    /// cannot find again.</summary>
    public bool IsRandomDecomposition => LoraInitialisers.IsRandomDecomposition(this);

    /// <summary>All names; N stands for a number.</summary>
    public static IEnumerable<string> Names => LoraInitialisers.Names;

    /// <summary>The field's true and false.</summary>
    /// <param name="isZero">Whether B starts at zero.</param>
    public static implicit operator LoraInit(bool isZero) => isZero ? Kaiming : Random;

    /// <summary>The field's names.</summary>
    /// <param name="name">Such as <c>pissa_niter_16</c>.</param>
    public static implicit operator LoraInit(string name) => new(name);

    /// <summary><see cref="Pissa"/> by randomised iteration: faster, and close where singular values fall.</summary>
    /// <param name="iterations">How often the weight is applied back and forth, at least 0; HF recommends 16.</param>
    /// <returns>The initialiser <c>pissa_niter_N</c>.</returns>
    /// <seealso href="https://arxiv.org/abs/0909.4061">Halko et al., algorithm 4.4.</seealso>
    public static LoraInit FastPissa(int iterations) => new(FormattableString.Invariant($"pissa_niter_{iterations}"));

    /// <summary>The name.</summary>
    /// <returns><see cref="Name"/>.</returns>
    public override string ToString() => Name;

    internal static LoraInit FromJson(JsonNode? json, string field) => json switch
    {
        null => Kaiming,
        JsonValue value when value.TryGetValue<bool>(out var flag) => flag,
        JsonValue value when value.TryGetValue<string>(out var name) => name,
        _ => throw new ConfigException($"{field} is {json.ToJsonString()}; it must be true, false or a name."),
    };

    internal JsonNode ToJson() => Name switch
    {
        "true" => true,
        "false" => false,
        _ => Name,
    };
}
