using System.Text.Json.Nodes;
using OrtPeft.Models.Checkpoints.Packing;
using OrtPeft.Models.Configuration;
using OrtPeft.Tensors;
using OrtPeft.Tensors.Safetensors;
using OrtPeft.Tensors.Storage;

namespace OrtPeft.Models.Checkpoints;

/// <summary>Writes the weights of an HF folder, and what its <c>config.json</c> says of them.</summary>
internal static class HfWeightFile
{
    private static readonly string[] TypeFields = ["dtype", "torch_dtype"];

    /// <summary>Writes <c>model.safetensors</c>, each weight in the type that its source has.</summary>
    /// <param name="folder">Receives the file; its <c>config.json</c>, where there is one, then says how it
    /// is.</param>
    /// <param name="weights">float32 tensors by HF's names.</param>
    /// <param name="types">The source's types; 16-bit ones are rounded to, to the nearest. Others are float32.</param>
    /// <param name="isTied">Whether the output layer is the token embedding.</param>
    /// <param name="names">Other names to write weights under; null for none.</param>
    /// <param name="others">What is written as it is; null for nothing.</param>
    /// <returns>
    /// The type of most of the weights' numbers. It is float32 for all of them where one would become infinite in the
    /// source's.
    /// </returns>
    /// <exception cref="IOException">A file cannot be written.</exception>
    public static ElementType Save(
        string folder,
        IEnumerable<(string Name, Tensor Tensor)> weights,
        IReadOnlyDictionary<string, ElementType> types,
        bool isTied,
        IReadOnlyDictionary<string, string>? names = null,
        IReadOnlyDictionary<string, Tensor>? others = null)
    {
        ArgumentNullException.ThrowIfNull(types);
        var all = weights.Select(w => (w.Name, w.Tensor, Type: types.GetValueOrDefault(w.Name, ElementType.Float)))
            .ToList();
        var fits = all.All(static w => NarrowedTensorData.Fits(w.Tensor, w.Type));
        var written = all.Select(w => (w.Name, fits ? NarrowedTensorData.Narrow(w.Tensor, w.Type) : w.Tensor)).ToList();
        SafetensorsFile.Save(
            Path.Combine(folder, SafetensorsCheckpoint.FileName),
            [
                .. written.Select(w => (names?.GetValueOrDefault(w.Name) ?? w.Name, w.Item2)),
                .. others?.Select(static o => (o.Key, o.Value)) ?? [],
            ],
            new Dictionary<string, string> { ["format"] = "pt" });
        var type = written.GroupBy(static w => w.Item2.Type).MaxBy(static g => g.Sum(static w => w.Item2.Count))!.Key;
        Describe(folder, type, isTied, isFloat: true);
        return type;
    }

    /// <summary>
    /// Makes a folder's <c>config.json</c> true of its weights: the type where it names one, and whether head and
    /// embedding are one. Without the file, nothing.
    /// </summary>
    /// <param name="folder">The folder.</param>
    /// <param name="type">The type of most weights.</param>
    /// <param name="isTied">Null leaves what the file says.</param>
    /// <param name="isFloat">Whether the weights are numbers now, whatever they were in: the file then says nothing of few
    /// bits.</param>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public static void Describe(string folder, ElementType type, bool? isTied = null, bool isFloat = false)
    {
        var path = Path.Combine(folder, ModelFamilies.ConfigFileName);
        if (!File.Exists(path) || JsonNode.Parse(File.ReadAllBytes(path)) is not JsonObject fields)
            return;
        var before = fields.ToJsonString();
        const string Tied = "tie_word_embeddings";
        JsonObject[] parts = fields[TextPart.Section] is JsonObject texts ? [fields, texts] : [fields];
        foreach (var part in parts)
        {
            foreach (var field in TypeFields.Where(field => part[field] is not null))
                part[field] = NameOf(type);
            if (isTied is { } tied && part[Tied] is not null)
                part[Tied] = tied;
            if (isFloat)
                part.Remove(WeightPacking.Section);
        }

        if (fields.ToJsonString() != before)
            AtomicFile.Write(path, System.Text.Encoding.UTF8.GetBytes(ConfigText.Of(fields)));
    }

    /// <summary>PyTorch's name of a type.</summary>
    /// <param name="type">A floating-point type.</param>
    /// <returns>Such as <c>bfloat16</c>.</returns>
    public static string NameOf(ElementType type) => type switch
    {
        ElementType.Float16 => "float16",
        ElementType.BFloat16 => "bfloat16",
        ElementType.Double => "float64",
        _ => "float32",
    };
}
