using OrtPeft.Adapters;
using OrtPeft.Artifacts;
using OrtPeft.Onnx.Serialization;

namespace OrtPeft.Compilation.Artifacts;

/// <summary>Completes what artifacts say of their base.</summary>
internal static class BaseFacts
{
    /// <summary>Adds what the adapted model knows.</summary>
    /// <param name="given">What the caller knows.</param>
    /// <param name="peft">The adapted model with its initial weights.</param>
    /// <param name="opset">The operator set of the graphs.</param>
    public static ArtifactBase Of(ArtifactBase given, PeftModel peft, long opset) => given with
    {
        Opset = opset,
        TotalParameters = peft.TotalParameterCount,
        Fingerprint = ModelFingerprint.Of(peft.Base),
        InitialWeights = peft.Origin,
    };
}
