using System.Text.Json.Nodes;
using OrtPeft.Adapters;
using OrtPeft.Inference.Evaluation;
using OrtPeft.Inference.Generation;
using OrtPeft.Onnx;

namespace OrtPeft.Cli.Reporting;

/// <summary>A model's uses beside training, as far as its graph and the method tell.</summary>
/// <param name="model">The model.</param>
/// <param name="peft">The adapted model, or null where the method does not fit.</param>
internal sealed class UseReport(Model model, PeftModel? peft)
{
    private readonly string? _whyNotGenerate = Generator.WhyNot(model);

    private readonly string? _whyNotMerge =
        (peft is null ? null : PeftMethods.Of(peft.Config).Description.WhyNotMergeable)
        ?? LogitsComparison.WhyNot(model);

    /// <summary>The uses that it does not have, a line each; none where it has all.</summary>
    public IEnumerable<string> Lines()
    {
        if (_whyNotGenerate is not null)
            yield return $"does not generate: {_whyNotGenerate}";
        if (_whyNotMerge is not null)
            yield return $"does not merge: {_whyNotMerge}";
    }

    /// <summary>Adds what programs ask for.</summary>
    public void AddTo(JsonObject answer)
    {
        answer["generates"] = _whyNotGenerate is null;
        answer["merges"] = _whyNotMerge is null;
    }
}
