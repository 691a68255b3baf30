using OrtPeft.Tensors;
using OrtPeft.Tensors.Safetensors;

namespace OrtPeft.Models.Tests;

/// <summary>What PyTorch computed for one case of a graph: feeds and results.</summary>
internal sealed record Golden(IReadOnlyDictionary<string, Tensor> Inputs, IReadOnlyDictionary<string, Tensor> Outputs)
{
    public const string WithoutPast = "hf442_g2l_nopast_op13";
    public const string WithPast = "hf442_g2l_past_op14";

    public static TheoryData<string, string> Cases => new()
    {
        { WithoutPast, "plain" },
        { WithoutPast, "rightpad" },
        { WithoutPast, "leftpad" },
        { WithoutPast, "b2s5" },
        { WithoutPast, "b1s1" },
        { WithPast, "plain_p0s11" },
        { WithPast, "leftpad_p0s11" },
        { WithPast, "plain_p4s7" },
        { WithPast, "leftpad_p4s7" },
        { WithPast, "rightpad_rand_p5s11" },
        { WithPast, "leftpad_p10s1" },
    };

    public static Golden Open(string graph, string name)
    {
        var file = SafetensorsFile.Open(Fixture.Path($"golden/{graph}/data.safetensors"));
        var inputs = Under(file, $"{name}/in/");
        var batch = inputs["input_ids"].Dims[0];
        for (var layer = 0; layer < 2; layer++)
        {
            inputs.TryAdd($"past_key_values.{layer}.key", Tensor.Of<float>([], [batch, 4, 0, 8]));
            inputs.TryAdd($"past_key_values.{layer}.value", Tensor.Of<float>([], [batch, 4, 0, 8]));
        }

        return new Golden(inputs, Under(file, $"{name}/out/"));
    }

    /// <summary>The largest absolute difference over all results, pad rows included.</summary>
    public float Deviation(OnnxSession session)
    {
        var results = session.Run(Inputs, [.. Outputs.Keys]);
        return Outputs.Max(expected => Deviation(expected.Value, results[expected.Key]));
    }

    public static float Deviation(Tensor expected, Tensor actual)
    {
        Assert.Equal(expected.Dims.AsEnumerable(), actual.Dims.AsEnumerable());
        return expected.ToFloat32().Zip(actual.ToFloat32(), static (a, b) => float.Abs(a - b)).Max();
    }

    private static Dictionary<string, Tensor> Under(SafetensorsFile file, string prefix) => file.Tensors
        .Where(t => t.Key.StartsWith(prefix, StringComparison.Ordinal))
        .ToDictionary(t => t.Key[prefix.Length..], static t => t.Value);
}
