namespace OrtPeft.Training.Data;

/// <summary>
/// One line of a JSON Lines file without its line end; the bytes are valid until the next line is read.
/// </summary>
internal readonly record struct JsonLine(int Number, ReadOnlyMemory<byte> Bytes);
