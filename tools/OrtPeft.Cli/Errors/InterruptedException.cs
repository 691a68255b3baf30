namespace OrtPeft.Cli.Errors;

/// <summary>The user stopped the work; the message says what was saved and how to continue.</summary>
internal sealed class InterruptedException(string message) : Exception(message);
