using OrtPeft.Tensors;
using OrtPeft.Tensors.Storage;

namespace OrtPeft.Adapters;

/// <summary>
/// The numbers that a weight starts with, made when they are first read: where a file's take their place before, they
/// are never made. Thread-safe.
/// </summary>
/// <param name="length">The number of bytes.</param>
/// <param name="make">Makes a tensor of that length.</param>
internal sealed class PromisedTensorData(long length, Func<Tensor> make) : TensorData
{
    private readonly Lazy<Tensor> _made = new(make);

    /// <inheritdoc/>
    public override long Length => length;

    /// <summary>Whether the numbers have been made.</summary>
    public bool IsMade => _made.IsValueCreated;

    /// <summary>The tensor, made now unless it was before.</summary>
    public Tensor Made => _made.Value;

    /// <inheritdoc/>
    public override ReadOnlySpan<byte> Slice(long offset, int count) => Made.Data.Slice(offset, count);

    /// <inheritdoc/>
    public override PinnedBytes Pin() => Made.Data.Pin();
}
