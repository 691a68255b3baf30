using OrtPeft.Tensors.Storage;

namespace OrtPeft.Artifacts.OrtFormats;

/// <summary>
/// The bytes of a parameter of which only name, type and axes are known, as in a nominal checkpoint. It has a length
/// and nothing to read.
/// </summary>
/// <param name="length">The bytes that the parameter's elements take.</param>
internal sealed class AbsentTensorData(long length) : TensorData
{
    /// <inheritdoc/>
    public override long Length => length;

    /// <summary>Never returns.</summary>
    /// <inheritdoc/>
    /// <exception cref="InvalidOperationException">Always.</exception>
    public override ReadOnlySpan<byte> Slice(long offset, int count) => throw NoValues();

    /// <summary>Never returns.</summary>
    /// <inheritdoc/>
    /// <exception cref="InvalidOperationException">Always.</exception>
    public override PinnedBytes Pin() => throw NoValues();

    private static InvalidOperationException NoValues() => new(
        "A nominal checkpoint holds names and types but no values; copy parameters into it before they are read.");
}
