namespace OrtPeft.Onnx.Quantization;

/// <summary>The numbers that codes of 4 bits stand for, in units of a block's largest magnitude. Immutable.</summary>
public sealed class CodeBook
{
    private readonly float[] _values;
    private readonly float[] _middles;

    internal CodeBook(string name, params float[] values)
    {
        Name = name;
        _values = values;
        _middles = [.. values.Zip(values.Skip(1), static (a, b) => (a + b) / 2)];
    }

    /// <summary>
    /// NF4: quantiles of a standard normal distribution, eight on each side of zero that share it, scaled to −1 … 1. As
    /// trained weights are close to normal, each code is used about equally often.
    /// </summary>
    /// <seealso href="https://arxiv.org/abs/2305.14314">Dettmers et al., QLoRA, section 3 and appendix E.</seealso>
    public static CodeBook NormalFloat4 { get; } = new(
        "nf4",
        -1, -0.6961928009986877f, -0.5250730514526367f, -0.39491748809814453f,
        -0.28444138169288635f, -0.18477343022823334f, -0.09105003625154495f, 0,
        0.07958029955625534f, 0.16093020141124725f, 0.24611230194568634f, 0.33791524171829224f,
        0.44070982933044434f, 0.5626170039176941f, 0.7229568362236023f, 1);

    /// <summary>How commands and files call it, such as <c>nf4</c>.</summary>
    public string Name { get; }

    /// <summary>The 16 numbers by code, rising from −1 to 1.</summary>
    public IReadOnlyList<float> Values => _values;

    /// <summary>The code whose number is closest; of two, the lower one.</summary>
    /// <param name="number">In units of the block's largest magnitude.</param>
    /// <returns>0 to 15.</returns>
    public int Nearest(float number)
    {
        var code = 0;
        for (var step = (_middles.Length + 1) / 2; step > 0; step /= 2)
            code += number > _middles[code + step - 1] ? step : 0;
        return code;
    }

    /// <inheritdoc cref="Name"/>
    public override string ToString() => Name;
}
