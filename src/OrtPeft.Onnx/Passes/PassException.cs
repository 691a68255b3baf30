namespace OrtPeft.Onnx.Passes;

/// <summary>
/// A pass or a rewrite that failed where it should not have, or left a broken graph: an error of OrtPeft, whatever the
/// model. The message begins with its name; the cause is the inner exception.
/// </summary>
/// <param name="message">Which pass, and what happened, in one line.</param>
/// <param name="innerException">The cause.</param>
public sealed class PassException(string message, Exception innerException) : Exception(message, innerException);
