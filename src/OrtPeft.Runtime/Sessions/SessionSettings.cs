using Microsoft.ML.OnnxRuntime;
using OrtPeft.Tensors;

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

        switch (options.Provider)
        {
            case "cpu":
                break;
            case "cuda":
                AppendCuda(settings);
                break;
            default:
                throw new SettingException($"Provider is '{options.Provider}'; it must be cpu or cuda.");
        }
    }

    private static void AppendCuda(SessionOptions settings)
    {
        try
        {
            settings.AppendExecutionProvider_CUDA();
        }
        catch (Exception e) when (e is EntryPointNotFoundException or OnnxRuntimeException)
        {
            throw new SettingException(
                "Provider is 'cuda', which this build of ONNX Runtime or this machine lacks; use a build with "
                + $"Microsoft.ML.OnnxRuntime.Gpu and its CUDA libraries, or the provider cpu. ({e.Message})",
                e);
        }
    }
}
