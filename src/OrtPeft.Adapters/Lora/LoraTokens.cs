using OrtPeft.Adapters.Modules;
using OrtPeft.Adapters.TrainableTokens;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;

namespace OrtPeft.Adapters.Lora;

/// <summary>The tokens whose embeddings train beside LoRA, under HF PEFT's names.</summary>
internal static class LoraTokens
{
    private const string Field = "trainable_token_indices";

    /// <summary>Finds them in the graph without the adapter.</summary>
    /// <exception cref="ConfigException">There are no such tokens, or LoRA adapts their embedding too.</exception>
    public static IReadOnlyList<TokenTarget> Resolve(Model model, LoraConfig config, IReadOnlyList<LoraTarget> targets)
    {
        if (config.TrainableTokenIndices is not { } indices)
            return [];
        var tokens = TokenTargets.Resolve(model, indices, Field);
        var both = tokens.FirstOrDefault(t => targets.Any(adapted => adapted.Name == t.Name));
        return both is null ? tokens : throw new ConfigException(
            $"{Field} has {both.Name}, which target_modules adapts too; choose one of the two.");
    }

    /// <summary>Makes the rows train, which start as the base's.</summary>
    public static AdapterParameter Inject(TokenTarget target, GraphBuilder g)
    {
        var name = NameOf(target);
        var rows = g.Graph.AddInitializer(g.Graph.FreshName(name), target.FirstRows());
        target.Inject(g, rows);
        return new AdapterParameter(name, rows);
    }

    /// <summary>HF PEFT's name of the rows.</summary>
    public static string NameOf(TokenTarget target) =>
        HfName.Of(target.Name, "token_adapter.trainable_tokens_delta");
}
