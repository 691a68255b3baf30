using System.Text.RegularExpressions;
using Microsoft.ML.OnnxRuntime;
using OrtPeft.Adapters;
using OrtPeft.Models;
using OrtPeft.Onnx;
using OrtPeft.Runtime.Sessions;
using OrtPeft.Tensors;
using OrtPeft.Tokenizers;
using OrtPeft.Training;
using OrtPeft.Training.Data;
using OrtPeft.Training.Distributed;

namespace OrtPeft.Cli.Errors;

/// <summary>Says in one line what went wrong, and picks the exit code.</summary>
internal static partial class ErrorReport
{
    /// <summary>The exit code of wrong usage or bad input.</summary>
    public const int BadInput = 2;

    /// <summary>The exit code of a run that was interrupted, as shells have it.</summary>
    public const int Interrupted = 130;

    private const int Failed = 1;
    private const int NoSpaceOnUnix = 28;
    private const int NoSpaceOnWindows = unchecked((int)0x80070070);

    /// <summary>Writes the line, and the details when they are wanted.</summary>
    /// <param name="error">What was thrown.</param>
    /// <param name="output">Receives the line.</param>
    /// <param name="verbose">Whether to add the stack.</param>
    /// <returns>The exit code.</returns>
    public static int Write(Exception error, TextWriter output, bool verbose)
    {
        var (code, message) = Judge(error);
        output.WriteLine($"ortpeft: {OneLine(FlagNames.In(message))}");
        if (verbose)
            output.WriteLine(error);
        return code;
    }

    private static (int Code, string Message) Judge(Exception error) => error switch
    {
        UsageException or OnnxFormatException or GraphException or UnsupportedOpException or ConfigException
            or TrainingDataException or TokenizerFormatException or ModelConfigException or TrainingRuntimeException
            or SettingException => (BadInput, error.Message),
        FileNotFoundException { FileName: { } part } when part.Contains(", Version=", StringComparison.Ordinal) =>
            (Failed, $"A part of the program cannot be loaded: {part}; install it again."),
        FileNotFoundException { FileName: { } file } => (BadInput, $"{file} does not exist; check the path."),
        FileNotFoundException or DirectoryNotFoundException => (BadInput, error.Message),
        PathTooLongException => (BadInput, "A path is too long for this system; give a shorter one."),
        IOException { HResult: NoSpaceOnUnix or NoSpaceOnWindows } =>
            (Failed, $"{error.Message}; free some space, or choose another --out."),
        IOException or UnauthorizedAccessException => (Failed, error.Message),
        InterruptedException or OperationCanceledException => (Interrupted, error.Message),
        TrainingFailedException or ResultException or SessionException or DistributedException => (Failed, error.Message),
        OnnxRuntimeException failed => (Failed, SessionException.Of("A graph", failed).Message),
        DllNotFoundException => (Failed, $"A native library is missing: {error.Message}"),
        OutOfMemoryException => (Failed, "There is not enough memory; try a smaller --batch-size or --seq-len."),
        TypeInitializationException { InnerException: { } inner } => Judge(inner),
        _ => (Failed, $"Bug: {error.GetType().Name}: {error.Message} Please report it with the output of --verbose."),
    };

    private static string OneLine(string message) => LineBreaks().Replace(message.Trim(), " ");

    [GeneratedRegex(@"\s*[\r\n]+\s*")]
    private static partial Regex LineBreaks();
}
