using System.Collections.Frozen;
using System.Globalization;

namespace OrtPeft.Adapters.Lora.Initialization;

/// <summary>How A and B start, by name. A new initialiser is a row here.</summary>
internal static class LoraInitialisers
{
    private const string Iterated = "_niter_";

    private static readonly (string Name, Func<LoraStartingPoint, LoraFactors> Make)[] Rows =
    [
        ("true", static s => new(s.KaimingA(), s.ZeroB())),
        ("false", static s => new(s.KaimingA(), s.KaimingB())),
        ("gaussian", static s => new(s.NormalA(1.0 / s.Rank), s.ZeroB())),
        ("pissa", Pissa.Exact),
        ("pissa_niter_N", Pissa.Iterated),
        ("olora", Olora.Factors),
        ("orthogonal", Orthogonal.Factors),
        ("eva", static s => new(s.KaimingA(), s.ZeroB())),
        ("loftq", static _ => throw NeedsItsBase()),
    ];

    private static readonly FrozenDictionary<string, Func<LoraStartingPoint, LoraFactors>> ByName =
        Rows.ToFrozenDictionary(static r => r.Name, static r => r.Make, StringComparer.Ordinal);

    /// <summary>The names, for messages and help texts.</summary>
    public static IEnumerable<string> Names => Rows.Select(static r => r.Name);

    /// <summary>Makes the first A and B of a layer.</summary>
    public static LoraFactors Factors(LoraStartingPoint start)
    {
        if (!start.Target.ReadsActivations)
            return OfEmbedding(start);
        var (row, iterations) = Parse(start.Init);
        return ByName[row](start.With(iterations));
    }

    /// <summary>Finds the row of a name.</summary>
    /// <exception cref="ConfigException">There is none; the message lists them.</exception>
    public static (string Row, int Iterations) Parse(LoraInit init)
    {
        var name = init.Name;
        var at = name.IndexOf(Iterated, StringComparison.Ordinal);
        var iterations = 0;
        var row = at > 0 && int.TryParse(name[(at + Iterated.Length)..], CultureInfo.InvariantCulture, out iterations)
            ? $"{name[..at]}{Iterated}N"
            : name;
        return ByName.ContainsKey(row) && iterations >= 0
            ? (row, iterations)
            : throw new ConfigException(
                $"init_lora_weights is '{init}'; it must be one of {string.Join(", ", Names)}.");
    }

    /// <summary>Whether A and B start as a part of the base's weight.</summary>
    public static bool TakeFromBase(LoraInit init) => Parse(init).Row is "pissa" or "pissa_niter_N" or "olora";

    /// <summary>Whether the start comes from random numbers, so that another program finds another one.</summary>
    public static bool IsRandomDecomposition(LoraInit init) => Parse(init).Row == "pissa_niter_N";

    /// <summary>
    /// LoftQ's A and B are what quantising the float base lost, which the base at hand does not tell.
    /// </summary>
    private static ConfigException NeedsItsBase() => new(
        "init_lora_weights is 'loftq', which starts an adapter together with its quantised base: make both with "
        + "`ortpeft quantize <float model> --loftq`, then train that base with --init-adapter on its folder "
        + "loftq_init.");

    /// <summary>
    /// An embedding starts with A zero and B normal whatever the name; with false, both are normal. B that is the head's A
    /// too starts as that of a linear layer.
    /// </summary>
    private static LoraFactors OfEmbedding(LoraStartingPoint start)
    {
        if (start.Init == LoraInit.Random)
            return new LoraFactors(start.NormalA(1), start.NormalB(1));
        var b = start.Target is not EmbeddingTarget { IsShared: true } ? start.NormalB(1)
            : start.Init == LoraInit.Gaussian ? start.NormalB(1.0 / start.Rank)
            : start.UniformB(1 / Math.Sqrt(start.Target.OutFeatures));
        return new LoraFactors(InitialWeights.Zeros(start.Rank, start.Target.InFeatures), b);
    }
}
