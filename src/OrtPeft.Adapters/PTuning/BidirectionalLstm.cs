using OrtPeft.Adapters.PromptLearning;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using static OrtPeft.Onnx.Building.Formula;

namespace OrtPeft.Adapters.PTuning;

/// <summary>
/// PyTorch's bidirectional LSTM in operators that have gradients, one step after another: the sequence is a prompt, so
/// its length is fixed and small.
/// </summary>
/// <seealso href="https://pytorch.org/docs/stable/generated/torch.nn.LSTM.html"/>
internal static class BidirectionalLstm
{
    private const string Name = "lstm_head";

    /// <summary>Adds the layers.</summary>
    /// <param name="encoder">Makes the parameters.</param>
    /// <param name="x">One sequence, <c>[steps, features]</c>.</param>
    /// <param name="hidden">H, the width of a state.</param>
    /// <param name="layers">How many layers.</param>
    /// <param name="dropout">The probability that a number between two layers is dropped.</param>
    /// <returns>Both directions side by side, <c>[steps, 2·H]</c>.</returns>
    public static Value Apply(PromptEncoder encoder, Value x, int hidden, int layers, double dropout)
    {
        var g = encoder.Builder;
        for (var layer = 0; layer < layers; layer++)
        {
            if (layer > 0 && dropout > 0)
                x = g.Dropout(x, dropout);
            var forward = Direction(encoder, x, hidden, $"l{layer}", isReverse: false);
            x = g.Concat(1, forward, Direction(encoder, x, hidden, $"l{layer}_reverse", isReverse: true));
        }

        return x;
    }

    private static Value Direction(PromptEncoder encoder, Value x, int hidden, string suffix, bool isReverse)
    {
        var (steps, features) = ((int)x.Shape![0].Value!.Value, x.Shape[1].Value!.Value);
        var (g, bound) = (encoder.Builder, 1 / Math.Sqrt(hidden));
        var ofInput = encoder.Uniform($"{Name}.weight_ih_{suffix}", bound, 4 * hidden, features);
        var ofState = encoder.Uniform($"{Name}.weight_hh_{suffix}", bound, 4 * hidden, hidden);
        var inputBias = encoder.Uniform($"{Name}.bias_ih_{suffix}", bound, 4 * hidden);
        var stateBias = encoder.Uniform($"{Name}.bias_hh_{suffix}", bound, 4 * hidden);
        var all = g.Term(g.Gemm(x, ofInput, inputBias, transB: true)) + stateBias;
        var rows = steps == 1 ? [all] : g.Split(all, 0, [.. Enumerable.Repeat(1L, steps)]);
        var results = new Value[steps];
        (Term H, Term C)? state = null;
        foreach (var step in isReverse ? Enumerable.Range(0, steps).Reverse() : Enumerable.Range(0, steps))
        {
            var gates = state is var (h, _) ? g.Gemm(h, ofState, rows[step], transB: true) : rows[step];
            var next = Step(g, gates, state?.C, hidden);
            (results[step], state) = (next.H, next);
        }

        return g.Concat(0, results);
    }

    /// <summary>c' = σ(f)·c + σ(i)·tanh(g), h' = σ(o)·tanh(c'); the first state is zero.</summary>
    private static (Term H, Term C) Step(GraphBuilder g, Value gates, Term? c, int hidden)
    {
        Term[] parts = [.. g.Split(gates, 1, hidden, hidden, hidden, hidden).Select(g.Term)];
        var added = Sigmoid(parts[0]) * Tanh(parts[2]);
        var cell = c is { } before ? Sigmoid(parts[1]) * before + added : added;
        return (Sigmoid(parts[3]) * Tanh(cell), cell);
    }
}
