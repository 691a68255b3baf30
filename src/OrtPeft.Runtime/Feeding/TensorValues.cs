using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;
using OrtPeft.Tensors;
using OrtPeft.Tensors.Storage;

namespace OrtPeft.Runtime.Feeding;

/// <summary>ONNX Runtime values over memory that is already there.</summary>
internal static class TensorValues
{
    /// <summary>A tensor value that reads and writes the given bytes.</summary>
    /// <param name="bytes">The bytes; must stay pinned as long as the value lives.</param>
    /// <param name="type">The element type.</param>
    /// <param name="dims">The axes' lengths.</param>
    /// <returns>The value; dispose it before the pin.</returns>
    public static OrtValue Over(PinnedBytes bytes, ElementType type, long[] dims)
    {
        ArgumentNullException.ThrowIfNull(bytes);
        return OrtValue.CreateTensorValueWithData(
            OrtMemoryInfo.DefaultInstance, (TensorElementType)(int)type, dims, bytes.Address, bytes.Length);
    }

    /// <summary>A tensor value over the elements of an array.</summary>
    /// <typeparam name="T">The elements' type.</typeparam>
    /// <param name="elements">The elements, row-major.</param>
    /// <param name="dims">The axes' lengths.</param>
    /// <returns>The value; it pins the array until disposed.</returns>
    public static OrtValue Over<T>(T[] elements, params long[] dims)
        where T : unmanaged => OrtValue.CreateTensorValueFromMemory(elements, dims);
}
