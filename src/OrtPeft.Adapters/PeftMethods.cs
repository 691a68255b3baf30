using System.Collections.Frozen;
using OrtPeft.Adapters.BitFit;
using OrtPeft.Adapters.Bottleneck;
using OrtPeft.Adapters.Configuration;
using OrtPeft.Adapters.Full;
using OrtPeft.Adapters.Ia3;
using OrtPeft.Adapters.LnTuning;
using OrtPeft.Adapters.Loha;
using OrtPeft.Adapters.Lokr;
using OrtPeft.Adapters.Lora;
using OrtPeft.Adapters.PTuning;
using OrtPeft.Adapters.PrefixTuning;
using OrtPeft.Adapters.PromptTuning;
using OrtPeft.Adapters.TrainableTokens;
using OrtPeft.Adapters.Vera;

namespace OrtPeft.Adapters;

/// <summary>The methods that ship with OrtPeft. A new one is a folder and a row here.</summary>
public static class PeftMethods
{
    private static readonly IPeftMethod[] Rows =
    [
        new LoraMethod(),
        new Ia3Method(),
        new LohaMethod(),
        new LokrMethod(),
        new VeraMethod(),
        new BottleneckMethod(),
        new LnTuningMethod(),
        new BitFitMethod(),
        new TrainableTokensMethod(),
        new PromptTuningMethod(),
        new PTuningMethod(),
        new PrefixTuningMethod(),
        new FullMethod(),
    ];

    private static readonly FrozenDictionary<string, IPeftMethod> ByType =
        Rows.ToFrozenDictionary(static m => m.Description.PeftType, StringComparer.Ordinal);

    /// <summary>All methods.</summary>
    public static IReadOnlyList<IPeftMethod> All => Rows;

    /// <summary>The options of all methods, each once: the row of the first method that has it, in an order that keeps
    /// every method's own.</summary>
    public static IReadOnlyList<MethodOption> Options { get; } = Merged(Rows.Select(static m => m.Description.Options));

    /// <summary>Finds a method by its name on the command line.</summary>
    /// <param name="name">Such as <c>lora</c>.</param>
    /// <returns>The method.</returns>
    /// <exception cref="ConfigException">There is none of that name; the message lists them.</exception>
    public static IPeftMethod Named(string name) =>
        Rows.FirstOrDefault(m => m.Description.Name == name)
        ?? throw new ConfigException(
            $"There is no method '{name}'; choose one of " +
            $"{string.Join(", ", Rows.Select(static m => m.Description.Name))}.");

    /// <summary>Finds the method of a configuration.</summary>
    /// <param name="config">The configuration.</param>
    /// <returns>The method.</returns>
    public static IPeftMethod Of(PeftConfig config)
    {
        ArgumentNullException.ThrowIfNull(config);
        return ByType[config.PeftType];
    }

    /// <summary>An option that is new stands before the next one of its method that is there already.</summary>
    private static List<MethodOption> Merged(IEnumerable<IReadOnlyList<MethodOption>> lists)
    {
        var merged = new List<MethodOption>();
        foreach (var list in lists)
        {
            var at = merged.Count;
            foreach (var option in list.Reverse())
            {
                if (merged.FindIndex(o => o.Name == option.Name) is >= 0 and var place)
                    at = place;
                else
                    merged.Insert(at, option);
            }
        }

        return merged;
    }

    /// <summary>Reads a configuration of whichever method it names.</summary>
    /// <param name="fields">The fields of <c>adapter_config.json</c>.</param>
    /// <param name="source">What messages call the file.</param>
    /// <returns>The configuration, checked.</returns>
    /// <exception cref="ConfigException">The method is unknown, or a field is wrong.</exception>
    public static PeftConfig Read(ConfigFields fields, string source)
    {
        ArgumentNullException.ThrowIfNull(fields);
        var type = fields.Text("peft_type") ?? throw ConfigException.At(
            source, "peft_type is missing; it must name the method.");
        if (!ByType.TryGetValue(type, out var method))
            throw ConfigException.At(
                source, $"peft_type is '{type}', which is not supported; supported are " +
                $"{string.Join(", ", ByType.Keys.Order())}.");
        try
        {
            return method.ReadConfig(fields);
        }
        catch (ConfigException e) when (!e.IsOf(source))
        {
            throw ConfigException.At(source, e.Message, e);
        }
    }
}
