namespace OrtPeft.Tokenizers;

/// <summary>Where a value was read: a file and a JSON path or line, for the error about it.</summary>
internal readonly record struct SourcePlace(string File, string Path)
{
    public TokenizerFormatException Error(string problem, Exception? inner = null) => new(File, Path, problem, inner);
}
