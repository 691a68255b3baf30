using System.Globalization;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Decoders;
using OrtPeft.Onnx.Shapes;

namespace OrtPeft.Models.Configuration;

/// <summary>
/// ONNX Runtime GenAI's <c>genai_config.json</c>: facts of the graph beside it that neither the graph nor
/// <c>config.json</c> tells. Only fields that something here needs are read.
/// </summary>
/// <seealso href="https://onnxruntime.ai/docs/genai/reference/config.html">The file's reference.</seealso>
internal sealed class GenAiConfig
{
    /// <summary>The file's name.</summary>
    public const string FileName = "genai_config.json";

    private const string Keys = $"{DecoderNames.Past}.%d.key";
    private const string Values = $"{DecoderNames.Past}.%d.value";

    private readonly ModelFields _model;
    private readonly ModelFields? _decoder;

    private GenAiConfig(ModelFields model)
    {
        _model = model;
        _decoder = model.Section("decoder");
    }

    /// <summary>Tokens that end a text; may be outside any vocabulary.</summary>
    public IReadOnlyList<int> EosTokenIds => _model.TokenIds("eos_token_id");

    /// <summary>The longest sequence in tokens, or null when the file does not say.</summary>
    public int? ContextLength => _model.OptionalCount("context_length");

    /// <summary>How many token ids there are, or null when the file does not say.</summary>
    public int? VocabularySize => _model.OptionalCount("vocab_size");

    /// <summary>The family, such as <c>phi3</c>; empty when the file does not say.</summary>
    public string Type => _model.Text("type", "");

    /// <summary>The file that holds the graph, or null when the description does not say.</summary>
    public string? FileOfGraph => _decoder?.Text("filename", "") is { Length: > 0 } name ? name : null;

    private int? Heads => _decoder!.OptionalCount("num_attention_heads");

    private int? HeadSize => _decoder!.OptionalCount("hidden_size") / Heads;

    /// <summary>Opens the file in a folder.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="graph">The <c>.onnx</c> file that is asked about, or null for any.</param>
    /// <returns>The description, or null where there is none, or it is of another graph.</returns>
    /// <exception cref="ModelConfigException">The file is damaged.</exception>
    public static GenAiConfig? TryRead(string folder, string? graph = null)
    {
        var path = Path.Combine(folder, FileName);
        if (!File.Exists(path) || ModelFields.Open(path, isToBuild: false).Section("model") is not { } model)
            return null;
        var config = new GenAiConfig(model);
        var name = graph is null ? "" : Path.GetFileName(graph);
        return graph is null || (config._decoder?.Text("filename", name) ?? name) == name ? config : null;
    }

    /// <summary>
    /// States heads and head size of cache inputs where neither the graph's axes nor what reads them tell.
    /// </summary>
    /// <param name="model">The model; its inputs are changed in place.</param>
    /// <exception cref="ModelConfigException">The number that is needed is damaged.</exception>
    public void StateCaches(Model model)
    {
        var layers = _decoder?.OptionalCount("num_hidden_layers") ?? 0;
        var inputs = _decoder?.Section("inputs");
        string[] patterns =
        [
            inputs?.Text("past_key_names", Keys) ?? Keys,
            inputs?.Text("past_value_names", Values) ?? Values,
            inputs?.Text("past_names", "") ?? "",
        ];
        foreach (var cache in model.Graph.Inputs.Where(static i => i is { Initializer: null, Shape.Rank: 4 or 5 }))
        {
            if (patterns.Any(pattern => IsNamed(cache.Name, pattern, layers)))
                cache.Shape = Stated(cache.Shape!);
        }
    }

    private static bool IsNamed(string name, string pattern, int layers) =>
        pattern.Split("%d") is [var before, var after]
        && name.Length > before.Length + after.Length
        && name.StartsWith(before, StringComparison.Ordinal)
        && name.EndsWith(after, StringComparison.Ordinal)
        && int.TryParse(
            name.AsSpan(before.Length..^after.Length), NumberStyles.None, CultureInfo.InvariantCulture, out var layer)
        && layer < layers;

    private Shape Stated(Shape shape)
    {
        var dims = shape.ToArray();
        if (dims[^3].Value is null && (_decoder!.OptionalCount("num_key_value_heads") ?? Heads) is { } heads)
            dims[^3] = heads;
        if (dims[^1].Value is null && (_decoder!.OptionalCount("head_size") ?? HeadSize) is { } size)
            dims[^1] = size;
        return Shape.Create(dims);
    }
}
