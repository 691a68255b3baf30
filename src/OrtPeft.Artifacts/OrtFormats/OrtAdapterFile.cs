using OrtPeft.Artifacts.FlatBuffers;
using OrtPeft.Tensors;
using OrtPeft.Tensors.Storage;

namespace OrtPeft.Artifacts.OrtFormats;

/// <summary>
/// An <c>.onnx_adapter</c> file: tensors that ONNX Runtime 1.20 and later feeds to the optional inputs of a model when
/// the adapter is activated for a run. A loaded file's tensors are ranges of the mapped file.
/// </summary>
/// <seealso href="https://onnxruntime.ai/docs/genai/howto/run-with-lora.html"/>
public sealed class OrtAdapterFile
{
    /// <summary>The extension of such files.</summary>
    public const string Extension = ".onnx_adapter";

    private const string Kind = "adapter file of ONNX Runtime";
    private const string Identifier = "TORT";
    private const int FormatVersion = 1;

    private const int FormatVersionSlot = 0;
    private const int AdapterVersionSlot = 1;
    private const int ModelVersionSlot = 2;
    private const int ParametersSlot = 3;

    /// <summary>
    /// The tensors, each under the name of the model input that it feeds. ONNX Runtime refuses to run with a tensor for
    /// which the model has no input.
    /// </summary>
    public IReadOnlyList<Tensor> Parameters { get; init; } = [];

    /// <summary>The author's number for the adapter; ONNX Runtime does not look at it.</summary>
    public int AdapterVersion { get; init; }

    /// <summary>The author's number for the model the adapter belongs to; ONNX Runtime does not look at it.</summary>
    public int ModelVersion { get; init; }

    /// <summary>Maps a file; copies nothing.</summary>
    /// <param name="path">The <c>.onnx_adapter</c> file.</param>
    /// <returns>Its content.</returns>
    /// <exception cref="OnnxFormatException">
    /// The file is not an adapter of version 1, or damaged; the message names file, field and byte.
    /// </exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static OrtAdapterFile Load(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        return Read(FlatBufferReader.Over(MappedFile.Open(path), Kind));
    }

    /// <summary>Reads an adapter in memory.</summary>
    /// <param name="content">The bytes; not copied, so they must not change afterwards.</param>
    /// <param name="source">What messages call it.</param>
    /// <returns>Its content.</returns>
    /// <exception cref="OnnxFormatException">It is not an adapter of version 1, or damaged.</exception>
    public static OrtAdapterFile Parse(ReadOnlyMemory<byte> content, string source)
    {
        ArgumentNullException.ThrowIfNull(source);
        return Read(FlatBufferReader.Over(content, source, Kind));
    }

    /// <summary>
    /// Writes the file, whole or not at all; every tensor's elements are aligned to 8 bytes, since ONNX Runtime uses
    /// them where they lie. Memory use does not grow with the tensors.
    /// </summary>
    /// <param name="path">The file to write; its folder must exist.</param>
    /// <exception cref="ArgumentException">
    /// A name is missing or used twice, ONNX Runtime has no such element type in adapters, a tensor is a scalar,
    /// which ONNX Runtime refuses, or the file would reach 2 GiB.
    /// </exception>
    /// <exception cref="IOException">The disk is full or the folder cannot be written.</exception>
    public void Save(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        Check(path);
        var parameters = Parameters.Select(static t => TensorTables.Write(t, TensorSlots.OfAdapter, t.Data));
        var root = new FlatTable()
            .Int32(FormatVersionSlot, FormatVersion)
            .Int32(AdapterVersionSlot, AdapterVersion)
            .Int32(ModelVersionSlot, ModelVersion)
            .Reference(ParametersSlot, new FlatVector([.. parameters]));
        using var file = new AtomicFile(path);
        FlatBufferWriter.Write(file.Stream, root, Identifier, path, "adapt fewer layers, or with a lower rank");
        file.Commit();
    }

    private static OrtAdapterFile Read(FlatBufferReader buffer)
    {
        var root = buffer.Root(Identifier, "adapter");
        if (root.Int32(FormatVersionSlot, "format_version") is var version and not FormatVersion)
            throw root.Broken("format_version", $"is {version}, and only {FormatVersion} can be read");
        var names = new HashSet<string>(StringComparer.Ordinal);
        var tables = root.Tables(ParametersSlot, "parameters") ?? throw root.Broken("parameters", "is missing");
        return new OrtAdapterFile
        {
            AdapterVersion = root.Int32(AdapterVersionSlot, "adapter_version"),
            ModelVersion = root.Int32(ModelVersionSlot, "model_version"),
            Parameters = [.. tables.Select(table => Parameter(table, names))],
        };
    }

    private static Tensor Parameter(FlatTableReader table, HashSet<string> names)
    {
        var tensor = TensorTables.Read(
            table, TensorSlots.OfAdapter, WhyNot, length => TensorTables.RawData(table, TensorSlots.OfAdapter, length));
        return names.Add(tensor.Name)
            ? tensor
            : throw table.Broken("name", $"is '{tensor.Name}', which stands here a second time");
    }

    private static string? WhyNot(ElementType type) => type switch
    {
        ElementType.Undefined or ElementType.String or ElementType.Bool or ElementType.Complex64
            or ElementType.Complex128 or < 0
            or > ElementType.Float8E5M2FNUZ
            => "ONNX Runtime takes whole and real numbers of 8 to 64 bits from adapters",
        _ => null,
    };

    private void Check(string path)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (var tensor in Parameters)
        {
            if (tensor.Name.Length == 0)
                throw new ArgumentException($"{path}: a tensor has no name; name it after the model's input.");
            if (!names.Add(tensor.Name))
                throw new ArgumentException($"{path}: there are two tensors '{tensor.Name}'; give each its own name.");
            if (WhyNot(tensor.Type) is { } reason)
                throw new ArgumentException($"{path}: '{tensor.Name}' is {tensor.Type}: {reason}.");
            if (tensor.Dims.IsEmpty)
                throw new ArgumentException($"{path}: '{tensor.Name}' has no axes; ONNX Runtime asks for one or more.");
        }
    }
}
