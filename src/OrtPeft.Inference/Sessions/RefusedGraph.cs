using System.Text.RegularExpressions;
using Microsoft.ML.OnnxRuntime;

namespace OrtPeft.Inference.Sessions;

/// <summary>Tells what ONNX Runtime has against a graph from other failures, as for want of memory.</summary>
internal static partial class RefusedGraph
{
    /// <summary>A shape that does not fit is reported as a plain failure, as a lack of memory is.</summary>
    public static bool Is(OnnxRuntimeException error) =>
        GraphErrors().IsMatch(error.Message) && !error.Message.Contains("alloc", StringComparison.OrdinalIgnoreCase);

    /// <summary>ONNX Runtime's words without code and full stop.</summary>
    public static string Reason(OnnxRuntimeException error) =>
        ErrorCode().Replace(error.Message, "").Trim().TrimEnd('.');

    [GeneratedRegex(@"^\[ErrorCode:(Fail|InvalidArgument|InvalidProtobuf|InvalidGraph|NotImplemented)\]")]
    private static partial Regex GraphErrors();

    [GeneratedRegex(@"^\[ErrorCode:\w+\] ")]
    private static partial Regex ErrorCode();
}
