using System.Text;
using System.Text.Json.Nodes;
using OrtPeft.Models.Checkpoints;
using OrtPeft.Onnx;
using OrtPeft.Tensors;
using OrtPeft.Tensors.Numerics;
using OrtPeft.Tensors.Safetensors;

namespace OrtPeft.Models.Tests.Checkpoints;

/// <summary>
/// The tiny Llama with its layers packed as GPTQ, AWQ and bitsandbytes pack them: written from their packers, bit by
/// bit, and the numbers that they stand for.
/// </summary>
internal sealed class PackedCheckpoint : IDisposable
{
    private const int Group = 16;

    private readonly TemporaryFolder _folder = new();
    private readonly Dictionary<string, Tensor> _tensors = new(StringComparer.Ordinal);

    /// <summary>Packs every linear layer but the head.</summary>
    /// <param name="config">The <c>quantization_config</c>.</param>
    /// <param name="pack">Adds the tensors of a layer and gives its numbers, [out, in]; null leaves it as it is.</param>
    public PackedCheckpoint(string config, Func<PackedCheckpoint, string, int, int, float[]?> pack)
    {
        foreach (var (name, tensor) in HfCheckpoint.Open(Fixture.Path("families/llama")).Weights)
        {
            if (name.Contains("_proj", StringComparison.Ordinal)
                && pack(this, name[..^".weight".Length], (int)tensor.Dims[0], (int)tensor.Dims[1]) is { } numbers)
                Numbers[name] = numbers;
            else
                _tensors[name] = tensor;
        }

        var json = (JsonObject)JsonNode.Parse(File.ReadAllBytes(Fixture.Path("families/llama/config.json")))!;
        json["quantization_config"] = JsonNode.Parse(config);
        File.WriteAllText(_folder["config.json"], json.ToJsonString());
    }

    public Dictionary<string, float[]> Numbers { get; } = new(StringComparer.Ordinal);

    public void Dispose() => _folder.Dispose();

    public HfCheckpoint Open(Action<Dictionary<string, Tensor>>? change = null)
    {
        change?.Invoke(_tensors);
        SafetensorsFile.Save(
            _folder["model.safetensors"],
            _tensors.Select(static t => (t.Key, t.Value)).ToList(),
            new Dictionary<string, string>());
        return HfCheckpoint.Open(_folder.Path, Assert.Fail);
    }

    /// <summary>The same model with the numbers themselves.</summary>
    public Model Float()
    {
        var config = ModelFamilies.Read(Fixture.Path("families/llama/config.json"));
        return config.ToArchitecture().Build(config.ToArchitecture().Weights.ToDictionary(
            static w => w.Name,
            w => Numbers.TryGetValue(w.Name, out var numbers)
                ? Tensor.Of<float>(numbers, [.. w.Shape.ToStatic()!.Value])
                : _tensors[w.Name]));
    }

    /// <summary>GPTQ: inputs from the lowest bits, zero points one less.</summary>
    public float[] Gptq(string module, int outputs, int inputs, int bits, int offset, int[]? order = null)
    {
        var (q, z, s) = Random(module, outputs, inputs, (1 << bits) - 1);
        var perWord = 32 / bits;
        var words = new int[inputs / perWord * outputs];
        var zeros = new int[inputs / Group * outputs / perWord];
        for (var i = 0; i < inputs; i++)
            for (var o = 0; o < outputs; o++)
                words[(i / perWord * outputs) + o] |= q[o, i] << (bits * (i % perWord));
        for (var g = 0; g < inputs / Group; g++)
            for (var o = 0; o < outputs; o++)
                zeros[((g * outputs) + o) / perWord] |= (z[o, g] - offset) << (bits * (o % perWord));
        Add($"{module}.qweight", words, inputs / perWord, outputs);
        Add($"{module}.qzeros", zeros, inputs / Group, outputs / perWord);
        _tensors[$"{module}.scales"] = Halves(s, outputs, inputs / Group);
        int[] groups = [.. Enumerable.Range(0, inputs).Select(i => order?[i % order.Length] % (inputs / Group) ?? i / Group)];
        Add($"{module}.g_idx", groups, inputs);
        return Dequantized(q, z, s, outputs, inputs, i => groups[i]);
    }

    /// <summary>GPTQ in 3 bits, as AutoGPTQ's loop writes three words at a time: ten numbers, one over the edge, ten
    /// numbers, one over the edge, ten numbers.</summary>
    public float[]? Gptq3(string module, int outputs, int inputs)
    {
        if (outputs % 32 != 0)
            return null;
        var (q, z, s) = Random(module, outputs, inputs, 7);
        var words = new int[inputs / 32 * 3 * outputs];
        for (var o = 0; o < outputs; o++)
        {
            var packed = Words3([.. Enumerable.Range(0, inputs).Select(i => q[o, i])]);
            for (var word = 0; word < packed.Length; word++)
                words[(word * outputs) + o] = packed[word];
        }

        int[] zeros = [.. Enumerable.Range(0, inputs / Group)
            .SelectMany(g => Words3([.. Enumerable.Range(0, outputs).Select(o => z[o, g] - 1)]))];
        Add($"{module}.qweight", words, inputs / 32 * 3, outputs);
        Add($"{module}.qzeros", zeros, inputs / Group, outputs / 32 * 3);
        _tensors[$"{module}.scales"] = Halves(s, outputs, inputs / Group);
        return Dequantized(q, z, s, outputs, inputs, static i => i / Group);
    }

    private static int[] Words3(int[] numbers)
    {
        var words = new int[numbers.Length / 32 * 3];
        for (int i = 0, row = 0; row < words.Length;)
        {
            for (var j = 0; j < 10; j++)
                words[row] |= numbers[i + j] << (3 * j);
            i += 10;
            words[row++] |= numbers[i] << 30;
            words[row] |= (numbers[i++] >> 2) & 1;
            for (var j = 0; j < 10; j++)
                words[row] |= numbers[i + j] << ((3 * j) + 1);
            i += 10;
            words[row++] |= numbers[i] << 31;
            words[row] |= (numbers[i++] >> 1) & 3;
            for (var j = 0; j < 10; j++)
                words[row] |= numbers[i + j] << ((3 * j) + 2);
            i += 10;
            row++;
        }

        return words;
    }

    /// <summary>AWQ: outputs in the order of its kernels.</summary>
    public float[] Awq(string module, int outputs, int inputs)
    {
        int[] order = [0, 2, 4, 6, 1, 3, 5, 7];
        var (q, z, s) = Random(module, outputs, inputs, 15);
        var words = new int[inputs * outputs / 8];
        var zeros = new int[inputs / Group * outputs / 8];
        for (var word = 0; word < outputs / 8; word++)
        {
            for (var i = 0; i < 8; i++)
            {
                for (var row = 0; row < inputs; row++)
                    words[(row * outputs / 8) + word] |= q[(word * 8) + order[i], row] << (4 * i);
                for (var g = 0; g < inputs / Group; g++)
                    zeros[(g * outputs / 8) + word] |= z[(word * 8) + order[i], g] << (4 * i);
            }
        }

        Add($"{module}.qweight", words, inputs, outputs / 8);
        Add($"{module}.qzeros", zeros, inputs / Group, outputs / 8);
        _tensors[$"{module}.scales"] = Halves(s, outputs, inputs / Group);
        return Dequantized(q, z, s, outputs, inputs, static i => i / Group);
    }

    /// <summary>bitsandbytes in 8 bits.</summary>
    public float[] Int8(string module, int outputs, int inputs)
    {
        var (q, _, s) = Random(module, outputs, inputs, 254);
        var bytes = new sbyte[outputs * inputs];
        for (var i = 0; i < bytes.Length; i++)
            bytes[i] = (sbyte)(q[i / inputs, i % inputs] - 127);
        float[] largest = [.. Enumerable.Range(0, outputs).Select(o => s[o, 0] * 127)];
        _tensors[$"{module}.weight"] = Tensor.Of<sbyte>(bytes, [outputs, inputs]);
        _tensors[$"{module}.SCB"] = Tensor.Of<float>(largest, [outputs]);
        _tensors[$"{module}.weight_format"] = Tensor.Of<byte>([0], []);
        return [.. bytes.Select((b, i) => b * (largest[i / inputs] / 127))];
    }

    /// <summary>bitsandbytes in 4 bits, with magnitudes that are codes themselves.</summary>
    public float[] Nf4(string module, int outputs, int inputs, float[] table, string kind, bool isNested)
    {
        const int Size = 32;
        var (q, _, _) = Random(module, outputs, inputs, 15);
        var count = outputs * inputs;
        var bytes = new byte[count / 2];
        for (var i = 0; i < count; i++)
            bytes[i / 2] |= (byte)(q[i / inputs, i % inputs] << (i % 2 == 0 ? 4 : 0));
        var codes = new byte[count / Size];
        var random = new SplitMix64(3, module);
        foreach (ref var code in codes.AsSpan())
            code = (byte)random.NextUniform(0, 255);
        float[] map = [.. Enumerable.Range(0, 256).Select(static i => (i - 100) / 1000f)];
        float[] scales = [.. Enumerable.Range(0, (codes.Length + 7) / 8).Select(static i => 1 + (i / 10f))];
        float[] largest = [.. codes.Select((code, i) => (map[code] * scales[i / 8]) + 0.25f)];
        _tensors[$"{module}.weight"] = Tensor.Of<byte>(bytes, [count / 2, 1]);
        _tensors[$"{module}.weight.quant_map"] = Tensor.Of<float>(table, [16]);
        _tensors[$"{module}.weight.absmax"] = isNested ? Tensor.Of<byte>(codes, [codes.Length]) : Tensor.Vector<float>(largest);
        var nested = isNested ? ",\"nested_blocksize\":8,\"nested_dtype\":\"float32\",\"nested_offset\":0.25" : "";
        if (isNested)
        {
            _tensors[$"{module}.weight.nested_absmax"] = Tensor.Vector<float>(scales);
            _tensors[$"{module}.weight.nested_quant_map"] = Tensor.Vector<float>(map);
        }

        var state = Encoding.UTF8.GetBytes(
            $$"""{"quant_type":"{{kind}}","blocksize":{{Size}},"dtype":"bfloat16","shape":[{{outputs}},{{inputs}}]{{nested}}}""");
        _tensors[$"{module}.weight.quant_state.bitsandbytes__{kind}"] = Tensor.Vector<byte>(state);
        return [.. Enumerable.Range(0, count).Select(i => table[q[i / inputs, i % inputs]] * largest[i / Size])];
    }

    private static (int[,] Q, int[,] Z, float[,] S) Random(string module, int outputs, int inputs, int most)
    {
        var random = new SplitMix64(17, module);
        var (q, z, s) = (new int[outputs, inputs], new int[outputs, inputs], new float[outputs, inputs]);
        for (var o = 0; o < outputs; o++)
        {
            for (var i = 0; i < inputs; i++)
            {
                q[o, i] = (int)random.NextUniform(0, most + 0.99f);
                z[o, i] = 1 + (int)random.NextUniform(0, most - 0.01f);
                s[o, i] = (float)(Half)(random.NextUniform(0.5f, 1) / most);
            }
        }

        return (q, z, s);
    }

    private static float[] Dequantized(
        int[,] q, int[,] z, float[,] s, int outputs, int inputs, Func<int, int> group)
    {
        var numbers = new float[outputs * inputs];
        for (var o = 0; o < outputs; o++)
            for (var i = 0; i < inputs; i++)
                numbers[(o * inputs) + i] = (q[o, i] - z[o, group(i)]) * s[o, group(i)];
        return numbers;
    }

    private static Tensor Halves(float[,] s, int outputs, int groups) => Tensor.Of<Half>(
        [.. Enumerable.Range(0, groups * outputs).Select(i => (Half)s[i % outputs, i / outputs])], [groups, outputs]);

    private void Add(string name, int[] values, params long[] dims) => _tensors[name] = Tensor.Of<int>(values, dims);
}
