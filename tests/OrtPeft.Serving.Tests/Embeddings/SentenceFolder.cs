using System.Text.Json.Nodes;
using OrtPeft.Adapters;
using OrtPeft.Adapters.Lora;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Passes;
using OrtPeft.Tensors;
using OrtPeft.Testing;
using OrtPeft.Text;

namespace OrtPeft.Serving.Tests.Embeddings;

/// <summary>The small GPT-2 of <c>models/</c> as a folder of sentence-transformers, an adapter, and what ONNX Runtime gives
/// for its texts when it is asked for the states before the head.</summary>
internal sealed class SentenceFolder : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public SentenceFolder(params string[] modes)
    {
        var model = Path.GetFullPath(Path.Combine(Fixtures.Folder, "..", "..", "models", "tiny-gpt2-apidocs"));
        Directory.CreateDirectory(Model);
        foreach (var file in Directory.GetFiles(model))
            File.Copy(file, Path.Combine(Model, Path.GetFileName(file)));
        Write("modules.json", Modules("Transformer", "Pooling", "Normalize"));
        Write("1_Pooling/config.json", new JsonObject
        {
            ["word_embedding_dimension"] = 128,
            ["pooling_mode"] = new JsonArray([.. modes.DefaultIfEmpty("mean").Select(static m => (JsonNode)m)]),
            ["include_prompt"] = true,
        });
        Text = TextModel.Open(Model);
        Text.AddAdapter(new LoraConfig { R = 4, LoraAlpha = 64, InitLoraWeights = false }, seed: 1).Save(Adapter);
    }

    public string Model => _folder["model"];

    public string Adapter => _folder["one"];

    public TextModel Text { get; }

    public static JsonArray Modules(params string[] kinds) =>
    [
        .. kinds.Select(static (kind, i) => (JsonNode)new JsonObject
        {
            ["idx"] = i,
            ["name"] = $"{i}",
            ["path"] = i == 0 ? "" : $"{i}_{kind}",
            ["type"] = $"sentence_transformers.models.{kind}",
        }),
    ];

    public void Write(string name, JsonNode content) => Write(name, content.ToJsonString());

    public void Write(string name, string content)
    {
        var path = Path.Combine(Model, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, content);
    }

    public ServedModel Open(ServingOptions? options = null) => ServedModel.Open(
        TextModel.Open(Model),
        new Dictionary<string, string> { ["one"] = Adapter },
        (options ?? new ServingOptions()) with { Runtime = Engine.Engines.OneThread });

    /// <summary>The states of each token before the head.</summary>
    public float[][] States(string text, bool isAdapted)
    {
        var model = (isAdapted ? Text.LoadAdapter(Adapter).ForInference() : Text.Source.Model).Clone();
        DropoutLowering.ForEvaluation(model);
        var hidden = LastNorm(model.Graph);
        model.Graph.AddOutput(hidden);
        var ids = Text.Tokenizer.Encode(text).Select(static id => (long)id).ToArray();
        var batch = new Dictionary<string, Tensor> { ["input_ids"] = Tensor.Of<long>(ids, [1, ids.Length]) };
        var states = OnnxRun.Of(model, Feeds.Of(model.Graph, batch))[hidden.Name].ToFloat32();
        return [.. states.Chunk(states.Length / ids.Length)];
    }

    /// <summary>What the last normalisation gives: the head comes after it.</summary>
    public static Value LastNorm(Graph graph) => graph.Nodes.Last(static n => n.Is("LayerNormalization")).Output;

    public static double[] Pooled(float[][] states, string mode)
    {
        var n = states.Length;
        return [.. Enumerable.Range(0, states[0].Length).Select(i => states.Select(s => (double)s[i]).ToArray()).Select(of => mode switch
        {
            "cls" => of[0],
            "lasttoken" => of[^1],
            "max" => of.Max(),
            "mean" => of.Sum() / n,
            "mean_sqrt_len_tokens" => of.Sum() / Math.Sqrt(n),
            "weightedmean" => of.Select(static (v, p) => v * (p + 1)).Sum() / Enumerable.Range(1, n).Sum(),
            _ => throw new ArgumentOutOfRangeException(nameof(mode), mode, null),
        })];
    }

    public static double[] Normalized(double[] vector)
    {
        var length = Math.Sqrt(vector.Sum(static v => v * v));
        return [.. vector.Select(v => v / length)];
    }

    public void Dispose() => _folder.Dispose();
}
