using System.Text.Json;
using OrtPeft.Tensors;
using OrtPeft.Tensors.Safetensors;

namespace OrtPeft.Testing;

/// <summary>Twenty training steps by HF PEFT and PyTorch on the model <c>g2l</c>: losses, gradients, weights.</summary>
internal sealed class TrainRun
{
    private readonly SafetensorsFile _data;
    private readonly JsonElement _index;

    private TrainRun(string name)
    {
        var folder = Path.Combine(Fixtures.Folder, "golden", $"train_g2l_{name}");
        _data = SafetensorsFile.Open(Path.Combine(folder, "data.safetensors"));
        using var json = JsonDocument.Parse(File.ReadAllText(Path.Combine(folder, "index.json")));
        _index = json.RootElement.Clone();
        AdapterFolder = Path.Combine(Fixtures.Folder, "peft_ckpt", $"g2l_{name}");
    }

    /// <summary>Where HF PEFT saved the adapter after the <c>const</c> run.</summary>
    public string AdapterFolder { get; }

    public static TrainRun Open(string name) => new(name);

    /// <summary>Tokens, mask and labels of batch 0 to 3, <c>[3, 11] int64</c>; step i takes batch i mod 4.</summary>
    public static Dictionary<string, Tensor> Batch(int number)
    {
        var file = SafetensorsFile.Open(Path.Combine(Fixtures.Folder, "golden", "train_batches_g2l.safetensors"));
        return Under(file, $"batch{number}/");
    }

    /// <summary>What a float64 run measured: <c>losses</c>, <c>grad_norms_before_clip</c> or <c>lrs</c>.</summary>
    public double[] Measured(string run, string what) =>
        [.. Float64(run).GetProperty(what).EnumerateArray().Select(static e => e.GetDouble())];

    public double LossAfter(string run) => Float64(run).GetProperty("loss_batch0_after").GetDouble();

    public Tensor this[string key] => _data[key];

    /// <summary>Tensors below a key such as <c>init</c> or <c>grad1_64</c>.</summary>
    public Dictionary<string, Tensor> All(string key) => Under(_data, $"{key}/");

    private JsonElement Float64(string run) => _index.GetProperty("runs").GetProperty(run).GetProperty("64");

    private static Dictionary<string, Tensor> Under(SafetensorsFile file, string prefix) => file.Tensors
        .Where(t => t.Key.StartsWith(prefix, StringComparison.Ordinal))
        .ToDictionary(t => t.Key[prefix.Length..], static t => t.Value);
}
