namespace OrtPeft.Artifacts.FlatBuffers;

/// <summary>
/// A field of a table to be written: so many bytes of a number, or of the offset to a node.
/// </summary>
internal readonly record struct FlatField(int Width, ulong Bits, FlatNode? Node = null);
