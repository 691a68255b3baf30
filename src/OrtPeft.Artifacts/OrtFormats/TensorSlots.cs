namespace OrtPeft.Artifacts.OrtFormats;

/// <summary>In which slots of its table a tensor's fields are.</summary>
/// <param name="Name">The tensor's name.</param>
/// <param name="Dims">The axes' lengths.</param>
/// <param name="DataType">The element type's number.</param>
/// <param name="RawData">The elements.</param>
internal readonly record struct TensorSlots(int Name, int Dims, int DataType, int RawData)
{
    /// <summary>The table <c>Tensor</c> of <c>ort.fbs</c>.</summary>
    public static TensorSlots OfCheckpoint { get; } = new(0, 2, 3, 4);

    /// <summary>The table <c>Parameter</c> of <c>adapter_schema.fbs</c>.</summary>
    public static TensorSlots OfAdapter { get; } = new(0, 1, 2, 3);
}
