using System.Text.Json;
using OrtPeft.Models.Checkpoints;
using OrtPeft.Onnx;
using OrtPeft.Tensors;

namespace OrtPeft.Models.Tests.Families;

/// <summary>A tiny model of a family and what HF transformers 5.24 computed with it.</summary>
internal sealed class FamilyGolden : IDisposable
{
    private static readonly long[][] Rows = JsonSerializer.Deserialize<Rowset>(
        File.ReadAllBytes(Fixture.Path("families/rows.json")), JsonSerializerOptions.Web)!.Rows;

    private readonly OnnxSession _session;
    private readonly int _layers;
    private readonly Tensor _noPast;

    public FamilyGolden(string name)
        : this(name, HfCheckpoint.Open(Fixture.Path($"families/{name}"), Assert.Fail).ToModel())
    {
    }

    /// <summary>The family's values, beside another form of its model.</summary>
    public FamilyGolden(string name, Model model)
    {
        var cache = model.Graph.Inputs.First(static i => i.Name == "past_key_values.0.key").Shape!;
        _layers = (model.Graph.Inputs.Count - 3) / 2;
        _noPast = Tensor.Of<float>([], [1, cache[1].Value!.Value, 0, cache[3].Value!.Value]);
        _session = new OnnxSession(model);
        using var golden = JsonDocument.Parse(File.ReadAllBytes(Fixture.Path($"families/{name}/golden.json")));
        RowSums = [.. golden.RootElement.GetProperty("row_sums").EnumerateArray().Select(static v => v.GetDouble())];
        Greedy = Ids(golden.RootElement.GetProperty("greedy").GetProperty("tokens"));
        Prompt = Ids(golden.RootElement.GetProperty("greedy").GetProperty("prompt"));
    }

    /// <summary>The families' names.</summary>
    public static IEnumerable<string> Names => Directory.GetDirectories(Fixture.Path("families"))
        .Select(static folder => Path.GetFileName(folder)).Order(StringComparer.Ordinal);

    /// <summary>The sum of each row's cross entropies.</summary>
    public double[] RowSums { get; }

    /// <summary>What the likeliest tokens are, one after the other.</summary>
    public long[] Greedy { get; }

    public long[] Prompt { get; }

    public void Dispose() => _session.Dispose();

    /// <summary>The same sums, by the graph.</summary>
    public double[] ComputeRowSums() => [.. Rows.Select(RowSum)];

    /// <summary>Goes on from the prompt, over the cache.</summary>
    public long[] Generate(int count)
    {
        var results = Run(Prompt, 0, null);
        var tokens = new List<long>();
        while (true)
        {
            var last = LastRow(results["logits"]);
            tokens.Add(Array.IndexOf(last, last.Max()));
            if (tokens.Count == count)
                return [.. tokens];
            results = Run([tokens[^1]], Prompt.Length + tokens.Count - 1, results);
        }
    }

    private double RowSum(long[] row)
    {
        var logits = Run(row, 0, null)["logits"];
        var (width, values) = ((int)logits.Dims[2], logits.ToFloat32());
        return Enumerable.Range(0, row.Length - 1).Sum(place =>
        {
            double[] scores = [.. values[(place * width)..((place + 1) * width)].Select(static v => (double)v)];
            var largest = scores.Max();
            return largest + Math.Log(scores.Sum(s => Math.Exp(s - largest))) - scores[row[place + 1]];
        });
    }

    public Dictionary<string, Tensor> Run(long[] tokens, int past, Dictionary<string, Tensor>? results)
    {
        long[] positions = [.. Enumerable.Range(past, tokens.Length).Select(static i => (long)i)];
        long[] mask = [.. Enumerable.Repeat(1L, past + tokens.Length)];
        var feeds = new Dictionary<string, Tensor>
        {
            ["input_ids"] = Tensor.Of<long>(tokens, [1, tokens.Length]),
            ["attention_mask"] = Tensor.Of<long>(mask, [1, mask.Length]),
            ["position_ids"] = Tensor.Of<long>(positions, [1, positions.Length]),
        };
        string[] caches = [.. Enumerable.Range(0, _layers).SelectMany(static i => new[] { $"{i}.key", $"{i}.value" })];
        foreach (var cache in caches)
            feeds[$"past_key_values.{cache}"] = results?[$"present.{cache}"] ?? _noPast;
        return _session.Run(feeds, ["logits", .. caches.Select(static cache => $"present.{cache}")]);
    }

    private static float[] LastRow(Tensor logits) => logits.ToFloat32()[^(int)logits.Dims[2]..];

    private static long[] Ids(JsonElement list) => [.. list.EnumerateArray().Select(static v => v.GetInt64())];

    private sealed record Rowset(long[][] Rows);
}
