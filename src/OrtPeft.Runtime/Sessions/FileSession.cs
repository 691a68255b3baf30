using Microsoft.ML.OnnxRuntime;
using OrtPeft.Tensors;
using OrtPeft.Tensors.Storage;

namespace OrtPeft.Runtime.Sessions;

/// <summary>
/// ONNX Runtime sessions of model files as they are: no graph is read here. Weights in files beside the model are
/// mapped by ONNX Runtime, so sessions that point into the same file share its pages.
/// </summary>
internal static class FileSession
{
    /// <summary>Opens a session.</summary>
    /// <param name="path">The <c>.onnx</c> file.</param>
    /// <param name="options">How to run it; the CPU with all cores when left out.</param>
    /// <returns>The session; dispose it to free ONNX Runtime's memory.</returns>
    /// <exception cref="OnnxFormatException">The file is missing, or ONNX Runtime refuses it.</exception>
    /// <exception cref="SessionException">There is not enough memory.</exception>
    public static InferenceSession Open(string path, RuntimeOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(path);
        if (!File.Exists(path))
            throw new OnnxFormatException($"{path} does not exist; copy the whole folder.");
        InputFile.Check(path);
        options ??= new RuntimeOptions();
        var packs = options.Prepacking ?? PackedMatrices.Fit(Around(path));
        using var settings = SessionSettings.Create(options with { Prepacking = packs });
        try
        {
            return new InferenceSession(path, settings);
        }
        catch (OnnxRuntimeException e) when (RefusedGraph.Is(e))
        {
            throw new OnnxFormatException(
                $"{path}: ONNX Runtime refuses it: {RefusedGraph.Reason(e)}; copy the whole folder, or write it again.",
                e);
        }
        catch (OnnxRuntimeException e)
        {
            throw SessionException.Of(path, e);
        }
    }

    /// <summary>At most what its weights take, in both directions: the model and all files beside it, twice.</summary>
    private static long Around(string path)
    {
        var folder = new DirectoryInfo(Path.GetDirectoryName(Path.GetFullPath(path))!);
        return 2 * folder.EnumerateFiles().Sum(static f => f.Length);
    }
}
