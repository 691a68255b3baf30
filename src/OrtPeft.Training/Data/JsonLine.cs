namespace OrtPeft.Training.Data;

/// <summary>One row as JSON; the bytes are valid until the next row is read.</summary>
/// <param name="Number">The line that it begins in, from 1; in files without lines its number.</param>
/// <param name="Bytes">The row without a line end.</param>
/// <param name="Column">Where it begins in its line, from 1, in UTF-16 units.</param>
internal readonly record struct JsonLine(int Number, ReadOnlyMemory<byte> Bytes, int Column = 1);
