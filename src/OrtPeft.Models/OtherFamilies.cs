using System.Collections.Frozen;

namespace OrtPeft.Models;

/// <summary>Advice for models that cannot be built: the export whose graph trains.</summary>
internal static class OtherFamilies
{
    /// <summary>Causal language models that Optimum does not export; PyTorch does.</summary>
    private static readonly FrozenSet<string> ByPyTorch = FrozenSet.Create(
        StringComparer.Ordinal,
        "biogpt", "cohere2", "ernie4_5", "exaone4", "glm4", "lfm2", "olmo3", "starcoder2", "xglm");

    /// <summary>Models that see later tokens, or write what another part has read.</summary>
    private static readonly FrozenSet<string> NotCausal = FrozenSet.Create(
        StringComparer.Ordinal,
        "albert", "bart", "bert", "camembert", "clip", "deberta", "deberta-v2", "distilbert", "electra", "longt5",
        "m2m_100", "marian", "mbart", "modernbert", "mpnet", "mt5", "pegasus", "roberta", "t5", "umt5", "vit",
        "whisper", "xlm-roberta");

    /// <summary>The advice, to follow the families that can be built.</summary>
    /// <param name="type">The <c>model_type</c>.</param>
    /// <param name="folder">The folder of the description.</param>
    /// <param name="readsMore">Whether the model reads pictures or sounds too.</param>
    public static string AdviceFor(string type, string folder, bool readsMore)
    {
        if (NotCausal.Contains(type))
            return "other models train as ONNX graphs if they predict the next token, which this one does not";
        if (readsMore)
            return "this one reads more than texts; its part for texts, with the head, trains as an ONNX graph, which "
                + "PyTorch's torch.onnx.export(…, dynamo=True) makes";
        if (ByPyTorch.Contains(type))
            return "PyTorch's torch.onnx.export(model, …, dynamo=True) makes a graph that trains";
        var shown = folder.Contains(' ', StringComparison.Ordinal) ? $"\"{folder}\"" : folder;
        return "for a graph of another one that trains, run 'optimum-cli export onnx --task text-generation-with-past "
            + $"--model {shown} OUT' and give OUT";
    }
}
