using OrtPeft.Adapters.Inspection;
using OrtPeft.Tensors;
using OrtPeft.Tensors.Safetensors;
using OrtPeft.Testing;

namespace OrtPeft.Adapters.Tests.Inspection;

/// <summary>A copy of one of HF PEFT's adapters, for a test to damage.</summary>
internal sealed class StoredCopy : IDisposable
{
    public const string Attention = "base_model.model.transformer.h.0.attn.c_attn.lora_B.weight";

    private readonly TemporaryFolder _folder = new();

    public StoredCopy(string name = "g2l_lora_all_randB")
    {
        foreach (var file in Directory.EnumerateFiles(Place(name)))
            File.Copy(file, _folder[Path.GetFileName(file)]);
    }

    public string Folder => _folder.Path;

    public StoredAdapter Adapter => StoredAdapter.Open(Folder);

    public static StoredAdapter Original(string name = "g2l_lora_all_randB") => StoredAdapter.Open(Place(name));

    public static float[] Floats(StoredAdapter adapter, string name = Attention) => adapter.Tensors[name].ToFloat32();

    /// <summary>Writes other numbers, or none, in a tensor's place.</summary>
    public StoredCopy With(string name, Func<Tensor, Tensor?> change)
    {
        var file = _folder[AdapterFolder.WeightsFile];
        var copies = SafetensorsFile.Open(file).Tensors
            .Select(t => (t.Key, Tensor: t.Key == name ? change(t.Value) : t.Value))
            .Where(static t => t.Tensor is not null)
            .Select(static t => (t.Key, new Tensor(t.Tensor!.Type, t.Tensor.Dims, InMemory(t.Tensor))))
            .ToList();
        SafetensorsFile.Save(file, copies);
        return this;
    }

    /// <summary>Writes other numbers in a tensor's place.</summary>
    public StoredCopy WithNumbers(string name, Func<float[], IEnumerable<float>> change) =>
        With(name, t => Tensor.Of<float>([.. change(t.ToFloat32())], t.Dims.AsSpan()));

    public StoredCopy WithSetting(string before, string now)
    {
        var file = _folder[AdapterFolder.ConfigFile];
        var text = File.ReadAllText(file);
        Assert.Contains(before, text, StringComparison.Ordinal);
        File.WriteAllText(file, text.Replace(before, now, StringComparison.Ordinal));
        return this;
    }

    public void Dispose() => _folder.Dispose();

    private static string Place(string name) => Path.Combine(Fixtures.Folder, "peft_ckpt", name);

    private static OrtPeft.Tensors.Storage.MemoryTensorData InMemory(Tensor tensor) =>
        new(tensor.Data.Slice(0, (int)tensor.Data.Length).ToArray());
}
