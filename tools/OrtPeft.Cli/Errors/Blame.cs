using Microsoft.ML.OnnxRuntime;
using OrtPeft.Adapters;
using OrtPeft.Onnx;
using OrtPeft.Runtime.Sessions;
using OrtPeft.Training.Data;

namespace OrtPeft.Cli.Errors;

/// <summary>Adds to errors what file they are about, where the code that found them could not know it.</summary>
internal static class Blame
{
    /// <summary>Runs something; a configuration that does not fit is said of <paramref name="origin"/>.</summary>
    /// <param name="origin">Where the configuration came from.</param>
    /// <param name="run">What is run.</param>
    /// <param name="other">Another file that messages may begin with; null for none.</param>
    public static T On<T>(string origin, Func<T> run, string? other = null)
    {
        try
        {
            return run();
        }
        catch (ConfigException e) when (!e.IsOf(origin) && (other is null || !e.IsOf(other)))
        {
            throw new UsageException($"{origin}: {e.Message}", e);
        }
    }

    /// <summary>
    /// Runs something; a graph that cannot be worked with, or not with rows of the usual kind, is said of <paramref
    /// name="model"/>.
    /// </summary>
    public static void On(string model, Action run)
    {
        try
        {
            run();
        }
        catch (Exception e) when (e is GraphException or UnsupportedOpException or TrainingDataException { File: null })
        {
            throw new UsageException($"{model}: {e.Message}", e);
        }
        catch (SessionException e) when (!e.IsOf(Path.GetFullPath(model)))
        {
            throw new ResultException($"{model}: {e.Message}", e);
        }
        catch (OnnxRuntimeException e)
        {
            throw new ResultException(SessionException.Of(model, e).Message, e);
        }
    }
}
