namespace OrtPeft.Artifacts.FlatBuffers;

/// <summary>A part of a buffer to be written that stands at a place of its own and is pointed to.</summary>
internal abstract class FlatNode
{
    /// <summary>How many bytes the node takes at its place, without padding.</summary>
    public abstract long Length { get; }

    /// <summary>
    /// The place plus <see cref="Lead"/> is a multiple of this; at least 4, since every node starts with 4 bytes
    /// that are read as one number.
    /// </summary>
    public virtual int Alignment => sizeof(uint);

    /// <summary>The bytes before the first one that has to be aligned: a vector's length.</summary>
    public virtual int Lead => 0;

    /// <summary>
    /// Whether the node comes after all others, so that the pages that hold structure lie together, and opening a large
    /// file touches few.
    /// </summary>
    public virtual bool IsBulk => false;

    /// <summary>The nodes that this one points to; each is written once, after it.</summary>
    public virtual IEnumerable<FlatNode> Children => [];

    /// <summary>Writes the bytes; the target stands at <paramref name="position"/>.</summary>
    public abstract void Write(BinaryWriter target, long position, BufferLayout layout);
}
