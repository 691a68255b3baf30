using System.Text.Json;
using OrtPeft.Tensors;
using OrtPeft.Tensors.Safetensors;
using OrtPeft.Testing;

namespace OrtPeft.Adapters.Tests.Goldens;

/// <summary>What PyTorch computed for one batch; the three graphs are one function and share these numbers.</summary>
internal sealed class GoldenCase
{
    private const string Graph = "hf442_g2l_nopast_op13";

    private GoldenCase(Dictionary<string, Tensor> tensors, double loss)
    {
        Inputs = tensors.Where(static t => t.Key.StartsWith("in/", StringComparison.Ordinal))
            .ToDictionary(static t => t.Key["in/".Length..], static t => t.Value);
        Inputs["labels"] = tensors["labels"];
        Logits = tensors["out64/logits"];
        Gradients = tensors.Where(static t => t.Key.StartsWith("grad64/", StringComparison.Ordinal))
            .ToDictionary(static t => t.Key["grad64/".Length..], static t => t.Value);
        Loss = loss;
    }

    public Dictionary<string, Tensor> Inputs { get; }

    public Tensor Logits { get; }

    /// <summary>The loss's gradients by parameter; empty where none were computed.</summary>
    public Dictionary<string, Tensor> Gradients { get; }

    public double Loss { get; }

    public static GoldenCase Open(string name)
    {
        var folder = Path.Combine(Fixtures.Folder, "golden", Graph);
        var file = SafetensorsFile.Open(Path.Combine(folder, "data.safetensors"));
        using var index = JsonDocument.Parse(File.ReadAllText(Path.Combine(folder, "index.json")));
        var loss = index.RootElement.GetProperty("cases").GetProperty(name).GetProperty("loss64").GetDouble();
        var prefix = $"{name}/";
        var tensors = file.Tensors.Where(t => t.Key.StartsWith(prefix, StringComparison.Ordinal))
            .ToDictionary(t => t.Key[prefix.Length..], static t => t.Value);
        return new GoldenCase(tensors, loss);
    }
}
