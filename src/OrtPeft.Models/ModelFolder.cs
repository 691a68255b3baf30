using OrtPeft.Onnx.Serialization;
using OrtPeft.Tensors.Safetensors;

namespace OrtPeft.Models;

/// <summary>Where a folder keeps a model's weights, in whatever form.</summary>
internal static class ModelFolder
{
    /// <summary>The name of the file with the weights of <see cref="ModelSource.ModelFileName"/>.</summary>
    public const string DataFileName = $"{ModelSource.ModelFileName}{OnnxFile.ExternalDataSuffix}";

    /// <summary>
    /// Names of files, with <c>*</c> for any text, that hold a model or a part of it. A folder holds one model, so
    /// whoever writes one form of it removes what is there of the others.
    /// </summary>
    public static IReadOnlyList<string> Forms { get; } =
    [
        ModelSource.ModelFileName,
        DataFileName,
        SafetensorsCheckpoint.FileName,
        SafetensorsCheckpoint.IndexFileName,
        "model-*-of-*.safetensors",
        "pytorch_model*.bin",
        "pytorch_model.bin.index.json",
    ];
}
