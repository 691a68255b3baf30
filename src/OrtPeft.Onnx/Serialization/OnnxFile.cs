using Google.Protobuf;
using OrtPeft.Onnx.Serialization.Proto;
using OrtPeft.Tensors;
using OrtPeft.Tensors.Storage;

namespace OrtPeft.Onnx.Serialization;

/// <summary>
/// Reads and writes <c>.onnx</c> files. Weights are mapped, not read; what the file says beyond the objects' members is
/// kept and written back; sizes, paths and nesting are checked while reading.
/// </summary>
public static class OnnxFile
{
    /// <summary>The suffix that a model's name gets for the file with its weights.</summary>
    public const string ExternalDataSuffix = ".data";

    /// <summary>Loads a model; weights stay in the file, or in the files beside it, until they are touched.</summary>
    /// <param name="path">The <c>.onnx</c> file, up to 2 GiB without its external data.</param>
    /// <returns>The model.</returns>
    /// <exception cref="OnnxFormatException">The file is truncated, inconsistent or points outside its
    /// folder.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static Model Load(string path)
    {
        var file = MappedFile.Open(path);
        if (file.Length > int.MaxValue)
            throw new OnnxFormatException(
                $"{path}: {file.Length} bytes; an ONNX file over 2 GiB must keep its weights in external data.");
        var bytes = new WeightScan(path, file.Span).Strip((int)file.Length);
        GC.KeepAlive(file);
        return Read(bytes, path, new TensorReader(path, file, new ExternalDataReader(path)));
    }

    /// <summary>Loads a model from memory; it must hold all its weights.</summary>
    /// <param name="bytes">The content of an <c>.onnx</c> file.</param>
    /// <param name="name">What messages call the model.</param>
    /// <returns>The model.</returns>
    /// <exception cref="OnnxFormatException">The bytes are truncated or inconsistent.</exception>
    public static Model Load(ReadOnlySpan<byte> bytes, string name = "model") =>
        Read(bytes, name, new TensorReader(name, null, null));

    /// <summary>
    /// Saves a model, all of it or nothing: files are written under other names first and then moved together.
    /// </summary>
    /// <param name="model">The model.</param>
    /// <param name="path">The <c>.onnx</c> file; its folder must exist.</param>
    /// <param name="options">Where weights go.</param>
    /// <exception cref="IOException">The disk is full or the folder cannot be written.</exception>
    public static void Save(Model model, string path, OnnxSaveOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        options ??= new OnnxSaveOptions();
        var name = Path.GetFileName(path);
        if (options.UsesExternalData(model))
        {
            SaveTogether(
                [(name, model)],
                Path.GetDirectoryName(Path.GetFullPath(path))!,
                $"{name}{ExternalDataSuffix}",
                options.ExternalThresholdBytes);
            return;
        }

        using var modelFile = new AtomicFile(path);
        Write(model, GraphWriter.Embed).WriteTo(modelFile.Stream);
        modelFile.Commit();
    }

    /// <summary>
    /// Saves models that share weights, which are written once: all files or none, since they are written into a folder
    /// inside first and take their places together (<see cref="StagedFolder"/>).
    /// </summary>
    /// <param name="models">The models by their files' names.</param>
    /// <param name="folder">Where to; exists.</param>
    /// <param name="dataName">The name of the file with the weights, or null to keep them in each model, up to 2
    /// GiB.</param>
    /// <param name="thresholdBytes">With a data file, constants of fewer bytes stay in the models. Default 1024
    /// bytes.</param>
    /// <exception cref="IOException">The disk is full or the folder cannot be written.</exception>
    public static void SaveTogether(
        IReadOnlyList<(string Name, Model Model)> models, string folder, string? dataName, long thresholdBytes = 1024)
    {
        ArgumentNullException.ThrowIfNull(models);
        ArgumentNullException.ThrowIfNull(folder);
        if (!Directory.Exists(folder))
            throw new DirectoryNotFoundException($"{folder} does not exist; make it first.");
        using var stage = new StagedFolder(folder);
        using (var data = dataName is null ? null : new AtomicFile(Path.Combine(stage.Path, dataName)))
        {
            Action<Tensor, TensorProto> tensors = data is null
                ? GraphWriter.Embed
                : new ExternalDataWriter(dataName!, data.Stream, thresholdBytes).Write;
            foreach (var (name, model) in models)
            {
                using var file = new AtomicFile(Path.Combine(stage.Path, name));
                Write(model, tensors).WriteTo(file.Stream);
                file.Commit();
            }

            data?.Commit();
        }

        stage.Commit();
    }

    /// <summary>
    /// The model as bytes for a session; weights in mapped files of one folder are referred to, not copied.
    /// </summary>
    /// <param name="model">The model.</param>
    /// <param name="folder">The folder that the session resolves file names in, links followed, or null to embed
    /// everything.</param>
    /// <param name="standIn">A file of that folder which tensors in aligned memory pretend to be in: the session gets
    /// them apart, but wants external data to name a file that exists. Null (default) embeds them.</param>
    /// <returns>The content of an <c>.onnx</c> file, its external data being ranges of the mapped files.</returns>
    public static byte[] ToBytes(Model model, string? folder = null, string? standIn = null) =>
        Write(model, (tensor, proto) =>
        {
            if (tensor.Data is MappedTensorData mapped && folder is not null && IsIn(folder, mapped.File.Place))
                ExternalDataWriter.PointTo(proto, Path.GetFileName(mapped.File.Place), mapped.Offset, mapped.Length);
            else if (tensor.Data is AlignedTensorData aligned && standIn is not null)
                ExternalDataWriter.PointTo(proto, standIn, 0, aligned.Length);
            else
                GraphWriter.Embed(tensor, proto);
        }).ToByteArray();

    private static bool IsIn(string folder, string path) =>
        string.Equals(Path.GetDirectoryName(path), Path.GetFullPath(folder), StringComparison.Ordinal);

    private static Model Read(ReadOnlySpan<byte> bytes, string path, TensorReader tensors)
    {
        ModelProto proto;
        try
        {
            proto = ModelProto.Parser.ParseFrom(bytes);
        }
        catch (InvalidProtocolBufferException e)
        {
            throw new OnnxFormatException($"{path} is not an ONNX model, or is damaged: {e.Message}", e);
        }

        if (proto.Graph is null)
            throw new OnnxFormatException($"{path}: holds no graph; it is not an ONNX model, or it is truncated.");
        OperatorSetCheck.Run(path, proto);
        LocalFunctions.Inline(path, proto);
        var opsets = new SortedDictionary<string, long>(StringComparer.Ordinal);
        foreach (var import in proto.OpsetImport)
            opsets[import.Domain == "ai.onnx" ? "" : import.Domain] = import.Version;
        var graph = new GraphReader(path, opsets.GetValueOrDefault("", 1), tensors).Read(proto.Graph);
        var model = new Model(graph, opsets)
        {
            IrVersion = proto.IrVersion,
            ProducerName = proto.ProducerName,
            ProducerVersion = proto.ProducerVersion,
            Unmodelled = Rest(proto, out var metadata),
        };
        foreach (var entry in metadata)
            model.Metadata[entry.Key] = entry.Value;
        return model;
    }

    private static ModelProto Write(Model model, Action<Tensor, TensorProto> tensors)
    {
        var proto = ModelProto.Parser.ParseFrom(model.Unmodelled.Span);
        proto.IrVersion = model.IrVersion;
        if (model.ProducerName.Length > 0)
            proto.ProducerName = model.ProducerName;
        if (model.ProducerVersion.Length > 0)
            proto.ProducerVersion = model.ProducerVersion;
        foreach (var (domain, version) in model.Opsets)
            proto.OpsetImport.Add(new OperatorSetIdProto { Domain = domain, Version = version });
        foreach (var (key, value) in model.Metadata.Where(static m => m.Key != MetadataKeys.BuilderType))
            proto.MetadataProps.Add(new StringStringEntryProto { Key = key, Value = value });
        proto.Graph = new GraphWriter(tensors).Write(model.Graph);
        return proto;
    }

    private static byte[] Rest(ModelProto proto, out StringStringEntryProto[] metadata)
    {
        metadata = [.. proto.MetadataProps];
        proto.MetadataProps.Clear();
        proto.ClearIrVersion();
        proto.ClearProducerName();
        proto.ClearProducerVersion();
        proto.OpsetImport.Clear();
        proto.Graph = null;
        return proto.ToByteArray();
    }
}
