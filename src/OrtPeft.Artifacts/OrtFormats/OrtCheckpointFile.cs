using OrtPeft.Tensors;
using OrtPeft.Tensors.Storage;

namespace OrtPeft.Artifacts.OrtFormats;

/// <summary>The constants of checkpoint files, and the errors about files as a whole.</summary>
internal static class OrtCheckpointFile
{
    public const string Kind = "checkpoint of ONNX Runtime's training API";

    public const string Identifier = "ODTC";

    public const int Version = 2;

    /// <summary>Smaller parameters stay in the checkpoint even where the others go to a file of their own.</summary>
    public const long SmallestExternal = 64;

    public static MappedFile OpenExternal(string checkpoint)
    {
        var path = checkpoint + OrtCheckpoint.ExternalDataSuffix;
        if (File.Exists(path))
            return MappedFile.Open(path);
        var name = Path.GetFileName(path);
        throw new OnnxFormatException(
            $"{checkpoint}: has its parameters in '{name}', which is not beside it; fetch both files.");
    }

    public static OnnxFormatException HasExternalData(string source) => new(
        $"{source}: has its parameters in a '{OrtCheckpoint.ExternalDataSuffix}' file, which is out of reach from "
        + "memory; load it from its path, with that file beside it.");

    public static OnnxFormatException IsFolder(string path)
    {
        var inside = Path.Combine(path, OrtCheckpoint.FileName);
        return new OnnxFormatException(File.Exists(inside)
            ? $"{path}: is a folder; give the file {inside}."
            : $"{path}: is a folder, as checkpoints were before ONNX Runtime 1.16; give a checkpoint of one file.");
    }
}
