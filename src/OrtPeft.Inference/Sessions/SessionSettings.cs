using Microsoft.ML.OnnxRuntime;

namespace OrtPeft.Inference.Sessions;

/// <summary>Turns <see cref="RuntimeOptions"/> into ONNX Runtime's session options.</summary>
internal static class SessionSettings
{
    public static SessionOptions Create(RuntimeOptions options)
    {
        var settings = new SessionOptions
        {
            GraphOptimizationLevel = GraphOptimizationLevel.ORT_ENABLE_ALL,
            LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR,
        };
        if (options.Threads > 0)
            settings.IntraOpNumThreads = options.Threads;
        if (!options.Prepacking)
            settings.AddSessionConfigEntry("session.disable_prepacking", "1");
        switch (options.Provider)
        {
            case "cpu":
                break;
            case "cuda":
                settings.AppendExecutionProvider_CUDA();
                break;
            default:
                settings.Dispose();
                throw new ArgumentException($"provider is '{options.Provider}'; it must be cpu or cuda.", nameof(options));
        }

        return settings;
    }
}
