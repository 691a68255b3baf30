using Microsoft.ML.OnnxRuntime;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Serialization;
using OrtPeft.Testing;

namespace OrtPeft.Adapters.Tests.Modules;

/// <summary>A graph as ONNX Runtime's own optimiser writes it.</summary>
internal static class OptimizedGraph
{
    /// <summary>Optimises a file into a folder, which must live as long as the model.</summary>
    public static Model Of(string path, GraphOptimizationLevel level, TemporaryFolder folder)
    {
        foreach (var data in Directory.EnumerateFiles(Path.GetDirectoryName(path)!, "*_data"))
            File.Copy(data, folder[Path.GetFileName(data)], overwrite: true);
        var file = folder[$"{level}.onnx"];
        using var options = new SessionOptions
        {
            OptimizedModelFilePath = file,
            GraphOptimizationLevel = level,
            IntraOpNumThreads = 1,
            LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR,
        };
        new InferenceSession(path, options).Dispose();
        return OnnxFile.Load(file);
    }
}
