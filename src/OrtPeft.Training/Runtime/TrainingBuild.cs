using OrtPeft.Artifacts;

namespace OrtPeft.Training.Runtime;

/// <summary>Says what to do where the native ONNX Runtime has no training API.</summary>
internal static class TrainingBuild
{
    /// <summary>
    /// Whether an error says so: ONNX Runtime's C# API throws it itself, or finds no entry points in the library.
    /// </summary>
    public static bool IsMissing(Exception error) =>
        error is InvalidOperationException or EntryPointNotFoundException
        || (error is TypeInitializationException { InnerException: { } inner } && IsMissing(inner));

    public static TrainingRuntimeException Missing(Exception cause) => new(
        "This build of ONNX Runtime has no training API, which artifacts of the runtime "
        + $"'{ArtifactRuntimes.OrtTraining}' need; install the package Microsoft.ML.OnnxRuntime.Training 1.19.2, or "
        + $"write the artifacts for the runtime {ArtifactRuntimes.Ort}, which every build trains.",
        cause);
}
