using Microsoft.ML.OnnxRuntime;

namespace OrtPeft.Runtime.Sessions;

/// <summary>Turns <see cref="RuntimeOptions"/> into ONNX Runtime's session options.</summary>
internal static class SessionSettings
{
    public static SessionOptions Create(RuntimeOptions options)
    {
        var settings = new SessionOptions();
        try
        {
            Apply(options, settings);
            return settings;
        }
        catch
        {
            settings.Dispose();
            throw;
        }
    }

    private static void Apply(RuntimeOptions options, SessionOptions settings)
    {
        settings.GraphOptimizationLevel = GraphOptimizationLevel.ORT_ENABLE_ALL;
        // What goes wrong is thrown; ONNX Runtime would print it as well.
        settings.LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL;
        if (options.Threads > 0)
            settings.IntraOpNumThreads = options.Threads;
        // Products with quantised weights: float32 throughout, where ONNX Runtime's default rounds activations to 8
        // bits.
        settings.AddSessionConfigEntry("session.qdq_matmulnbits_accuracy_level", "1");
        settings.EnableMemoryPattern = options.MemoryPatterns;
        if (options.Prepacking == false)
            settings.AddSessionConfigEntry("session.disable_prepacking", "1");
        if (options.ProfilePrefix is { } prefix)
        {
            settings.ProfileOutputPathPrefix = prefix;
            settings.EnableProfiling = true;
        }

        ExecutionProvider.Named(options.Provider).AppendTo(settings);
    }
}
