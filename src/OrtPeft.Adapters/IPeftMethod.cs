using OrtPeft.Adapters.Configuration;
using OrtPeft.Onnx;

namespace OrtPeft.Adapters;

/// <summary>A way to adapt a model: how it is configured, what it adds to the graph, how it is folded back.</summary>
public interface IPeftMethod
{
    /// <summary>Its names, and what it trains.</summary>
    MethodDescription Description { get; }

    /// <summary>Reads the method's configuration.</summary>
    /// <param name="fields">The fields of <c>adapter_config.json</c>.</param>
    /// <returns>The configuration, checked.</returns>
    /// <exception cref="ConfigException">A field is wrong or not supported.</exception>
    PeftConfig ReadConfig(ConfigFields fields);

    /// <summary>The needs of a configuration's fresh weights besides the base; none by default.</summary>
    /// <param name="config">The method's configuration.</param>
    /// <returns>What is needed.</returns>
    StartNeeds NeedsOf(PeftConfig config) => StartNeeds.None;

    /// <summary>The configuration with the tokens of the text that it needs.</summary>
    /// <param name="config">The method's configuration.</param>
    /// <param name="tokens">The tokens of <see cref="StartNeeds.Text"/>.</param>
    /// <param name="tokenizer">The tokenizer's name or folder, where the configuration names none.</param>
    /// <returns>The configuration; the same where it needs no tokens.</returns>
    PeftConfig WithTokens(PeftConfig config, IReadOnlyList<int> tokens, string tokenizer) => config;

    /// <summary>Rewrites a model's graph so that it computes with the adapter.</summary>
    /// <param name="model">The model in canonical form; edited in place.</param>
    /// <param name="config">The method's configuration.</param>
    /// <param name="seed">Fixes the initial weights, which are made when they are first read.</param>
    /// <returns>The configuration with every choice made, what trains, and how that is folded back.</returns>
    Injection Inject(Model model, PeftConfig config, long seed);
}
