using OrtPeft.Models.Checkpoints;
using OrtPeft.Models.Checkpoints.Gguf;
using OrtPeft.Models.Llama;
using OrtPeft.Tensors;
using OrtPeft.Tensors.Numerics;

namespace OrtPeft.Models.Exports;

/// <summary>GGUF files for llama.cpp and what is built on it: a model of an HF folder, or LoRA beside it.</summary>
public static class GgufExport
{
    private const string LoraA = ".lora_a";
    private const string LoraB = ".lora_b";

    /// <summary>The names of the types that matrices are written in: f32, f16, bf16, q8_0.</summary>
    public static IReadOnlyList<string> Types { get; } = [.. GgmlForm.All.Select(static f => f.Name)];

    /// <summary>The largest error of one number in a type, relative to the largest of its block.</summary>
    /// <param name="type">One of <see cref="Types"/>.</param>
    public static double UnitRoundoffOf(string type) => FormOf(type).UnitRoundoff;

    /// <summary>Writes a model: weights, description, tokenizer, chat template.</summary>
    /// <param name="folder">The HF folder.</param>
    /// <param name="path">The file.</param>
    /// <param name="options">What the folder's files do not tell by themselves.</param>
    /// <returns>The texts that llama.cpp reads otherwise than the tokenizer; null where none are known.</returns>
    /// <exception cref="ModelConfigException">llama.cpp has no such model, or no such tokenizer.</exception>
    /// <exception cref="ArgumentException">The type is unknown, or a number is beyond it.</exception>
    public static string? Write(string folder, string path, GgufOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        var checkpoint = HfCheckpoint.Open(folder);
        var (config, name, row) = Known(checkpoint.Config, folder);
        var form = FormOf(options.Type);
        var writer = new GgufWriter();
        writer.Add("general.architecture", name);
        writer.Add("general.type", "model");
        writer.Add("general.name", options.Name);
        writer.Add("general.file_type", form.FileType);
        writer.Add("general.quantization_version", 2u);
        GgufDescription.Add(writer, name, config, folder);
        var note = GgufVocabulary.Add(writer, folder, config.VocabSize);
        Add(writer, "tokenizer.ggml.bos_token_id", options.BeginOfText ?? config.BosTokenId);
        Add(writer, "tokenizer.ggml.eos_token_id", options.EndOfText ?? config.EosTokenId);
        writer.Add("tokenizer.ggml.add_bos_token", options.BeginOfText is not null);
        if (options.ChatTemplate is { } template)
            writer.Add("tokenizer.chat_template", template);
        foreach (var spec in config.ToArchitecture().Weights)
            AddWeight(writer, config, row, form, config.PlainName(spec.Name), checkpoint.Weights[spec.Name]);
        writer.Save(path);
        return note;
    }

    /// <summary>Reads a file that was written and compares its weights with those it was made of.</summary>
    /// <param name="folder">The HF folder.</param>
    /// <param name="path">The file.</param>
    /// <returns>The largest difference of a number, relative to the largest number of its tensor.</returns>
    /// <exception cref="OnnxFormatException">The file cannot be read, or is of another model.</exception>
    public static double LargestError(string folder, string path)
    {
        var (written, read) = (WrittenOf(HfCheckpoint.Open(folder)), HfCheckpoint.Open(path).Weights);
        var worst = 0.0;
        foreach (var (name, tensor) in written)
        {
            if (!read.TryGetValue(name, out var other))
                throw new OnnxFormatException($"{path}: has no {name}.");
            var (numbers, others) = (tensor.ToFloat32(), other.ToFloat32());
            var largest = numbers.Max(Math.Abs);
            var error = numbers.Zip(others, static (a, b) => Math.Abs(a - b)).Max();
            worst = Math.Max(worst, error == 0 ? 0 : error / largest);
        }

        return worst;
    }

    /// <summary>A folder's weights under the names that they have when they are read from a file again.</summary>
    internal static IReadOnlyDictionary<string, Tensor> WrittenOf(HfCheckpoint checkpoint) => checkpoint.Config is LlamaConfig config
        ? checkpoint.Weights.ToDictionary(w => config.PlainName(w.Key), static w => w.Value, StringComparer.Ordinal)
        : checkpoint.Weights;

    /// <summary>Writes LoRA of linear layers, to be loaded beside the model's file.</summary>
    /// <param name="source">The base.</param>
    /// <param name="path">The file.</param>
    /// <param name="name">What the file says that it is called.</param>
    /// <param name="alpha">LoRA's alpha, which the file names; what modules have apart from it is put into their B.</param>
    /// <param name="tensors">Aᵀ [in, r] and Bᵀ [r, out] times the scale of each layer, in turn, called as HF calls them without
    /// <c>base_model.model.</c>.</param>
    /// <exception cref="ModelConfigException">llama.cpp has no such model or layer.</exception>
    public static void WriteLora(ModelSource source, string path, string name, double alpha, IReadOnlyList<Tensor> tensors)
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentNullException.ThrowIfNull(tensors);
        var (config, architecture, row) = Known(source.Config, source.Folder);
        var writer = new GgufWriter();
        writer.Add("general.architecture", architecture);
        writer.Add("general.type", "adapter");
        writer.Add("general.name", name);
        writer.Add("adapter.type", "lora");
        writer.Add("adapter.lora.alpha", (float)alpha);
        foreach (var pair in tensors.Chunk(2))
        {
            var (a, b) = (pair[0], pair[1]);
            var module = LayerOf(a);
            var weight = config.PlainName($"{module}.weight");
            var ggml = row.ToGgml(weight) ?? throw new ModelConfigException(
                $"{source.Folder}: llama.cpp's {architecture} has no layer {module}, which the adapter changes; export merged.");
            if (ggml == "output.weight" && config.TieWordEmbeddings)
                throw new ModelConfigException(
                    $"{source.Folder}: llama.cpp has no output layer of its own where it is tied to the embedding, and the adapter "
                    + "changes it; export merged.");
            var (inputs, rank, outputs) = (a.Dims[0], a.Dims[1], b.Dims[1]);
            var factor = (float)(alpha == 0 ? 1 : rank / alpha);
            writer.Add(ggml + LoraA, GgmlForm.F32, [rank, inputs], () => Transposing.Of(a.ToFloat32(), a.Dims.AsSpan()));
            writer.Add(
                ggml + LoraB,
                GgmlForm.F32,
                [outputs, rank],
                () => Placed(config, row, weight, [.. Transposing.Of(b.ToFloat32(), b.Dims.AsSpan()).Select(n => n * factor)], (int)outputs));
        }

        writer.Save(path);
    }

    /// <summary>The layer whose A or B a tensor of <see cref="WriteLora"/> is.</summary>
    internal static string LayerOf(Tensor tensor)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        return tensor.Name[..tensor.Name.IndexOf(".lora_", StringComparison.Ordinal)];
    }

    /// <summary>Reads what <see cref="WriteLora"/> wrote, as llama.cpp does: B times alpha over the rank.</summary>
    /// <param name="source">The base.</param>
    /// <param name="path">The file.</param>
    /// <returns>Aᵀ [in, r] and Bᵀ [r, out] of each layer, by its name.</returns>
    /// <exception cref="ModelConfigException">llama.cpp has no such model.</exception>
    /// <exception cref="OnnxFormatException">The file cannot be read, or is not LoRA of this base.</exception>
    internal static IReadOnlyDictionary<string, (Tensor A, Tensor B)> ReadLora(ModelSource source, string path)
    {
        ArgumentNullException.ThrowIfNull(source);
        var (config, architecture, row) = Known(source.Config, source.Folder);
        var file = GgufFile.Open(path);
        if (file.Metadata.GetValueOrDefault("general.architecture") as string != architecture
            || file.Metadata.GetValueOrDefault("adapter.type") as string != "lora"
            || file.Metadata.GetValueOrDefault("adapter.lora.alpha") is not double alpha)
        {
            throw new OnnxFormatException($"{path}: is not LoRA of {architecture}.");
        }

        var layers = new Dictionary<string, (Tensor A, Tensor B)>(StringComparer.Ordinal);
        foreach (var (name, a) in file.Tensors.Where(static t => t.Key.EndsWith(LoraA, StringComparison.Ordinal)))
        {
            var ggml = name[..^LoraA.Length];
            if (row.ToHf(ggml) is not { } weight || !file.Tensors.TryGetValue(ggml + LoraB, out var b)
                || a.Dims is not [var rank, _] || b.Dims is not [var outputs, var ofB] || rank != ofB)
            {
                throw new OnnxFormatException($"{path}: '{name}' is not of a pair of matrices of {architecture}.");
            }

            var scale = (float)(alpha == 0 ? 1 : alpha / rank);
            var up = Restored(config, row, weight, [.. b.ToTensor(b.Name).ToFloat32().Select(n => n * scale)], (int)outputs);
            layers[config.OwnName(weight[..weight.LastIndexOf('.')])] = (Turned(a.ToTensor(name).ToFloat32(), a.Dims), Turned(up, b.Dims));
        }

        return layers;
    }

    private static (LlamaConfig Config, string Name, GgufArchitecture Row) Known(ModelConfig? config, string folder) =>
        config is LlamaConfig llama && GgufArchitecture.OfHf(llama.ModelType) is { } known
            ? (llama, known.Name, known.Row)
            : throw new ModelConfigException(
                $"{folder}: GGUF files are written of {string.Join(", ", GgufArchitecture.Written)} with a "
                + $"{ModelFamilies.ConfigFileName}, and this is {config?.ModelType ?? "without one"}; export hf, and convert that with "
                + "llama.cpp's convert_hf_to_gguf.py.");

    private static GgmlForm FormOf(string type) => GgmlForm.All.FirstOrDefault(f => f.Name == type)
        ?? throw new ArgumentException($"The type is '{type}'; it must be one of {string.Join(", ", Types)}.", nameof(type));

    private static void Add(GgufWriter writer, string key, int? id)
    {
        if (id is >= 0 and var known)
            writer.Add(key, (uint)known);
    }

    private static void AddWeight(
        GgufWriter writer, LlamaConfig config, GgufArchitecture row, GgmlForm form, string name, Tensor tensor)
    {
        var ggml = row.ToGgml(name)
            ?? throw new ModelConfigException($"{name} has no place in llama.cpp's models; export hf.");
        long[] dims = [.. tensor.Dims];
        writer.Add(ggml, form.For(dims), dims, Numbers);

        float[] Numbers()
        {
            var numbers = tensor.ToFloat32();
            return row.NormsAreOneMore && name.EndsWith("norm.weight", StringComparison.Ordinal)
                ? Array.ConvertAll(numbers, static n => n + 1)
                : Placed(config, row, name, numbers, (int)dims[0]);
        }
    }

    private static float[] Placed(LlamaConfig config, GgufArchitecture row, string name, float[] numbers, int rows) =>
        TurnedHeads(config, row, name) is > 0 and var heads ? TurnedPairs.Placed(numbers, rows, heads) : numbers;

    private static float[] Restored(LlamaConfig config, GgufArchitecture row, string name, float[] numbers, int rows) =>
        TurnedHeads(config, row, name) is > 0 and var heads ? TurnedPairs.Restored(numbers, rows, heads) : numbers;

    private static int TurnedHeads(LlamaConfig config, GgufArchitecture row, string name) =>
        !row.HasTurnedPairs ? 0
        : name.Contains(".q_proj.", StringComparison.Ordinal) ? config.Heads
        : name.Contains(".k_proj.", StringComparison.Ordinal) ? config.CacheHeads
        : 0;

    private static Tensor Turned(float[] numbers, long[] dims) =>
        Tensor.Of<float>(Transposing.Of(numbers, dims), [dims[1], dims[0]]);
}
