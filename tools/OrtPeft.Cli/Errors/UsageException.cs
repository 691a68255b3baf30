namespace OrtPeft.Cli.Errors;

/// <summary>A command line that cannot be carried out: its message says what is wrong and what to give.</summary>
internal sealed class UsageException(string message, Exception? inner = null) : Exception(message, inner);
