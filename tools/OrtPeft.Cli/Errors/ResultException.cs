namespace OrtPeft.Cli.Errors;

/// <summary>Work that was done but whose result cannot stand: its message says why and what became of it.</summary>
internal sealed class ResultException(string message, Exception? inner = null) : Exception(message, inner);
