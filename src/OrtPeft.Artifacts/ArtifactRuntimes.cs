namespace OrtPeft.Artifacts;

/// <summary>The runtimes that artifact folders are made for.</summary>
internal static class ArtifactRuntimes
{
    /// <summary>Plain inference sessions, of any ONNX Runtime build.</summary>
    public const string Ort = "ort";

    /// <summary>ONNX Runtime's own training API, up to version 1.19.2.</summary>
    public const string OrtTraining = "ort-training";
}
