using OrtPeft.Artifacts.FlatBuffers;
using OrtPeft.Tensors;
using OrtPeft.Tensors.Storage;

namespace OrtPeft.Artifacts.OrtFormats;

/// <summary>
/// The state of a training run in ONNX Runtime's training API (1.16 to 1.19 and later, format version 2): the file
/// <c>checkpoint</c> of an artifact folder. A loaded checkpoint's tensors are ranges of the mapped file.
/// </summary>
/// <seealso href="https://github.com/microsoft/onnxruntime/tree/v1.19.2/onnxruntime/core/flatbuffers/schema"/>
public sealed class OrtCheckpoint
{
    /// <summary>The file's name in an artifact folder.</summary>
    public const string FileName = "checkpoint";

    /// <summary>The suffix that makes the external data file's name from the checkpoint's.</summary>
    public const string ExternalDataSuffix = ".data";

    /// <summary>From how many bytes of tensors on parameters go to a file of their own: 1800 MiB.</summary>
    public const long DefaultExternalDataFrom = 1800L << 20;

    /// <summary>The parameters that are trained (<c>requires_grad_params</c>), in the file's order.</summary>
    public IReadOnlyList<Tensor> Trainable { get; init; } = [];

    /// <summary>The parameters that are inputs of the models and stay as they are (<c>frozen_params</c>).</summary>
    public IReadOnlyList<Tensor> Frozen { get; init; } = [];

    /// <summary>The optimizer's state; empty before the first step, when ONNX Runtime starts from zeros.</summary>
    public IReadOnlyList<OrtOptimizerGroup> OptimizerGroups { get; init; } = [];

    /// <summary>The user's own values.</summary>
    public OrtProperties Properties { get; init; } = new();

    /// <summary>
    /// Whether only names and types are saved. A nominal checkpoint is small; whoever trains from it copies values in
    /// first. The parameters of a loaded one have <see cref="AbsentTensorData"/>.
    /// </summary>
    public bool IsNominal { get; init; }

    /// <summary>Whether a file says of itself that it is a checkpoint; looks at its first bytes alone.</summary>
    /// <param name="path">The file.</param>
    /// <returns>Whether it is worth loading.</returns>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static bool IsOne(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        using var file = InputFile.OpenRead(path);
        Span<byte> start = stackalloc byte[2 * sizeof(uint)];
        return file.ReadAtLeast(start, start.Length, throwOnEndOfStream: false) == start.Length
            && start[sizeof(uint)..].SequenceEqual("ODTC"u8);
    }

    /// <summary>Maps a checkpoint and, where it has external data, the file beside it; copies nothing.</summary>
    /// <param name="path">The checkpoint.</param>
    /// <returns>Its content.</returns>
    /// <exception cref="OnnxFormatException">
    /// The file is not a checkpoint of version 2, is damaged, or its external data is missing or too short; the message
    /// names file, field and byte.
    /// </exception>
    /// <exception cref="IOException">A file cannot be read.</exception>
    public static OrtCheckpoint Load(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        if (Directory.Exists(path))
            throw OrtCheckpointFile.IsFolder(path);
        var file = MappedFile.Open(path);
        return OrtCheckpointReader.Read(
            FlatBufferReader.Over(file, OrtCheckpointFile.Kind), () => OrtCheckpointFile.OpenExternal(file.Path));
    }

    /// <summary>Reads a checkpoint in memory, as apps receive them from devices.</summary>
    /// <param name="content">The bytes; not copied, so they must not change afterwards.</param>
    /// <param name="source">What messages call it.</param>
    /// <returns>Its content.</returns>
    /// <exception cref="OnnxFormatException">
    /// It is not a checkpoint of version 2, is damaged, or has its parameters in another file.
    /// </exception>
    public static OrtCheckpoint Parse(ReadOnlyMemory<byte> content, string source)
    {
        ArgumentNullException.ThrowIfNull(source);
        return OrtCheckpointReader.Read(
            FlatBufferReader.Over(content, source, OrtCheckpointFile.Kind),
            () => throw OrtCheckpointFile.HasExternalData(source));
    }

    /// <summary>
    /// Writes the checkpoint, whole or not at all. Memory use does not grow with the tensors. Where the tensors take
    /// many bytes, the parameters go to <c>&lt;path&gt;.data</c>; a file of that name from before is otherwise left
    /// alone.
    /// </summary>
    /// <param name="path">The file to write; its folder must exist.</param>
    /// <param name="externalDataFrom">
    /// From how many bytes of tensors on parameters of 64 bytes or more go to the other file. ONNX Runtime cannot load
    /// such a checkpoint from memory.
    /// </param>
    /// <exception cref="ArgumentException">
    /// ONNX Runtime would refuse the checkpoint: an element type such as float16, a name that is missing or used twice,
    /// no values though it is not nominal, or too many bytes of optimizer state.
    /// </exception>
    /// <exception cref="IOException">The disk is full or the folder cannot be written.</exception>
    public void Save(string path, long externalDataFrom = DefaultExternalDataFrom)
    {
        ArgumentNullException.ThrowIfNull(path);
        OrtCheckpointRules.Check(this, path);
        OrtCheckpointWriter.Write(this, path, externalDataFrom);
    }
}
