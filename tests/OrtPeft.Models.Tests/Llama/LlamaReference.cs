using OrtPeft.Models.Llama;

namespace OrtPeft.Models.Tests.Llama;

/// <summary>
/// The model as HF computes it, in float64 and plain loops, one row of tokens at a time: RMSNorm, rotary embedding in
/// the rotate_half layout, repeated key heads, causal and padding mask, SwiGLU. Written from the papers and HF's
/// semantics, not from the graph builder.
/// </summary>
internal sealed class LlamaReference(LlamaConfig config, IReadOnlyDictionary<string, double[]> weights)
{
    private readonly int _width = config.HiddenSize;
    private readonly int _headSize = config.HeadSize;

    /// <summary>The logits of a row, <c>[tokens][vocabulary]</c>.</summary>
    /// <param name="tokens">The ids.</param>
    /// <param name="mask">1 where a key may be seen.</param>
    /// <param name="positions">The tokens' places.</param>
    public double[][] Logits(long[] tokens, long[] mask, long[] positions)
    {
        var hidden = tokens.Select(t => weights["model.embed_tokens.weight"][
            ((int)t * _width)..(((int)t + 1) * _width)]).ToArray();
        for (var layer = 0; layer < config.Layers; layer++)
        {
            var block = $"model.layers.{layer}";
            var normed = Norm($"{block}.input_layernorm", hidden);
            var attended = Attention($"{block}.self_attn", normed, mask, positions, WindowOf(layer));
            hidden = Sum(hidden, attended);
            hidden = Sum(hidden, Mlp($"{block}.mlp", Norm($"{block}.post_attention_layernorm", hidden)));
        }

        var head = config.TieWordEmbeddings ? "model.embed_tokens" : "lm_head";
        return Linear(head, Norm("model.norm", hidden));
    }

    private double[][] Norm(string module, double[][] x) => [.. x.Select(row =>
    {
        var meanSquare = row.Sum(static v => v * v) / row.Length;
        return row.Select((v, i) =>
            weights[$"{module}.weight"][i] * v / Math.Sqrt(meanSquare + config.RmsNormEpsilon)).ToArray();
    })];

    private double[][] Linear(string module, double[][] x)
    {
        var weight = weights[$"{module}.weight"];
        var bias = weights.GetValueOrDefault($"{module}.bias");
        var inputs = x[0].Length;
        var outputs = weight.Length / inputs;
        return [.. x.Select(row => Enumerable.Range(0, outputs).Select(o =>
            Enumerable.Range(0, inputs).Sum(i => weight[(o * inputs) + i] * row[i]) + (bias?[o] ?? 0)).ToArray())];
    }

    private double[][] Mlp(string module, double[][] x)
    {
        var gate = Linear($"{module}.gate_proj", x);
        var up = Linear($"{module}.up_proj", x);
        var inner = gate.Zip(up, (g, u) => g.Zip(u, (a, b) => Activation(a) * b).ToArray()).ToArray();
        return Linear($"{module}.down_proj", inner);
    }

    private double Activation(double x) => config.Activation switch
    {
        "silu" => x / (1 + Math.Exp(-x)),
        "relu" => Math.Max(x, 0),
        "gelu_pytorch_tanh" =>
            0.5 * x * (1 + Math.Tanh(Math.Sqrt(2 / Math.PI) * (x + (0.044715 * x * x * x)))),
        var other => throw new ArgumentException($"The reference has no '{other}'."),
    };

    private int WindowOf(int layer) =>
        config.SlidingWindow is { } window && window.IsIn(layer) ? window.Size : int.MaxValue;

    private double[][] Attention(string module, double[][] x, long[] mask, long[] positions, int window)
    {
        var queries = Rotated(Linear($"{module}.q_proj", x), positions);
        var keys = Rotated(Linear($"{module}.k_proj", x), positions);
        var values = Linear($"{module}.v_proj", x);
        var mixed = x.Select(_ => new double[config.Heads * _headSize]).ToArray();
        for (var head = 0; head < config.Heads; head++)
        {
            // repeat_kv: each key head stands n times in a row, n = heads / key heads.
            var shared = head / (config.Heads / config.CacheHeads);
            for (var query = 0; query < x.Length; query++)
            {
                var shares = Softmax([.. Enumerable.Range(0, x.Length).Select(key =>
                    key > query || query - key >= window || mask[key] == 0
                        ? float.MinValue
                        : Dot(queries[query], head, keys[key], shared) / Math.Sqrt(_headSize))]);
                for (var i = 0; i < _headSize; i++)
                {
                    mixed[query][(head * _headSize) + i] =
                        shares.Select((share, key) => share * values[key][(shared * _headSize) + i]).Sum();
                }
            }
        }

        return Linear($"{module}.o_proj", mixed);
    }

    private double Dot(double[] a, int headOfA, double[] b, int headOfB) => Enumerable.Range(0, _headSize)
        .Sum(i => a[(headOfA * _headSize) + i] * b[(headOfB * _headSize) + i]);

    private static double[] Softmax(double[] scores)
    {
        var largest = scores.Max();
        var powers = scores.Select(s => Math.Exp(s - largest)).ToArray();
        return [.. powers.Select(p => p / powers.Sum())];
    }

    /// <summary>x·cos + rotate_half(x)·sin with rotate_half(a, b) = (−b, a) and each angle in both halves.</summary>
    private double[][] Rotated(double[][] x, long[] positions)
    {
        var half = _headSize / 2;
        var frequencies = Enumerable.Range(0, half).Select(Frequency).ToArray();
        return [.. x.Select((row, token) => row.Select((v, place) =>
        {
            var i = place % _headSize;
            var angle = positions[token] * frequencies[i % half];
            var rotated = i < half ? -row[place + half] : row[place - half];
            return (v * Math.Cos(angle)) + (rotated * Math.Sin(angle));
        }).ToArray())];
    }

    private double Frequency(int pair)
    {
        var frequency = 1 / Math.Pow(config.RopeTheta, 2.0 * pair / _headSize);
        if (config.RopeScaling is not { } scaling)
            return frequency;
        if (scaling.Type == "linear")
            return frequency / scaling.Factor;
        Assert.Equal("llama3", scaling.Type);
        var wavelength = 2 * Math.PI / frequency;
        var longest = scaling.OriginalPositions / scaling.LowFrequencyFactor;
        var shortest = scaling.OriginalPositions / scaling.HighFrequencyFactor;
        if (wavelength < shortest)
            return frequency;
        if (wavelength > longest)
            return frequency / scaling.Factor;
        var smooth = ((scaling.OriginalPositions / wavelength) - scaling.LowFrequencyFactor)
            / (scaling.HighFrequencyFactor - scaling.LowFrequencyFactor);
        return ((1 - smooth) * frequency / scaling.Factor) + (smooth * frequency);
    }

    private static double[][] Sum(double[][] a, double[][] b) =>
        [.. a.Zip(b, static (x, y) => x.Zip(y, static (p, q) => p + q).ToArray())];
}
