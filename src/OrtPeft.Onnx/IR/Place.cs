namespace OrtPeft.Onnx;

/// <summary>Where a member stands.</summary>
/// <param name="member">The member.</param>
/// <typeparam name="T">The member's type.</typeparam>
internal sealed class Place<T>(T member)
{
    public T Member { get; } = member;

    /// <summary>Greater than those of all places before it; see <see cref="PlaceNumbers{T}"/>.</summary>
    public long Number { get; set; }
}
