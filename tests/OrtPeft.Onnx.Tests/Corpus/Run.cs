using Microsoft.ML.OnnxRuntime;
using OrtPeft.Onnx.Serialization;
using OrtPeft.Tensors;

namespace OrtPeft.Onnx.Tests.Corpus;

/// <summary>What ONNX Runtime makes of a model.</summary>
internal static class Run
{
    public sealed record Result(ElementType Type, long[] Dims, byte[] Bytes);

    public static Dictionary<string, Result> Of(byte[] model, Dictionary<string, OrtValue> inputs, bool optimise = true)
    {
        using var options = Options(optimise);
        using var session = new InferenceSession(model, options);
        return Of(session, inputs);
    }

    public static Dictionary<string, Result> Of(string path, Dictionary<string, OrtValue> inputs)
    {
        using var options = Options(optimise: true);
        using var session = new InferenceSession(path, options);
        return Of(session, inputs);
    }

    /// <summary>
    /// A file after ONNX Runtime's own optimisation, extended level, saved in a folder that outlives the model.
    /// </summary>
    public static Model Optimized(string path, string folder)
    {
        foreach (var data in Directory.EnumerateFiles(Path.GetDirectoryName(path)!, "*_data"))
            File.Copy(data, Path.Combine(folder, Path.GetFileName(data)));
        using var options = Options(optimise: true);
        options.GraphOptimizationLevel = GraphOptimizationLevel.ORT_ENABLE_EXTENDED;
        options.OptimizedModelFilePath = Path.Combine(folder, "optimized.onnx");
        new InferenceSession(path, options).Dispose();
        return OnnxFile.Load(options.OptimizedModelFilePath);
    }

    private static SessionOptions Options(bool optimise) => new()
    {
        IntraOpNumThreads = 1,
        LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR,
        GraphOptimizationLevel = optimise
            ? GraphOptimizationLevel.ORT_ENABLE_ALL
            : GraphOptimizationLevel.ORT_DISABLE_ALL,
    };

    private static Dictionary<string, Result> Of(InferenceSession session, Dictionary<string, OrtValue> inputs)
    {
        using var run = new RunOptions();
        var names = session.OutputNames;
        using var outputs = session.Run(run, inputs.Keys.ToArray(), inputs.Values.ToArray(), names);

        // The native run reads the values by their addresses alone: collected meanwhile, they would be freed under it.
        GC.KeepAlive(inputs);
        return names.Zip(outputs).ToDictionary(static p => p.First, static p => ResultOf(p.Second));
    }

    private static Result ResultOf(OrtValue value)
    {
        var info = value.GetTensorTypeAndShape();
        var bytes = info.ElementCount == 0 ? [] : value.GetTensorMutableRawData().ToArray();
        return new((ElementType)info.ElementDataType, info.Shape, bytes);
    }
}
