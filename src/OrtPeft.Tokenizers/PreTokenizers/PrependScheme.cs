namespace OrtPeft.Tokenizers.PreTokenizers;

/// <summary>Before which pieces <see cref="Metaspace"/> puts a visible space.</summary>
internal enum PrependScheme
{
    Always,

    /// <summary>Before that with which the text begins.</summary>
    First,
    Never,
}
