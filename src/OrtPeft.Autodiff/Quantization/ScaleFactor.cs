using OrtPeft.Onnx;
using OrtPeft.Tensors;

namespace OrtPeft.Autodiff.Quantization;

/// <summary>
/// The factor on a value: constant numbers, one or one per channel, times a computed value or its inverse. Two of them
/// are compared to see whether a quantiser's scale is taken back.
/// </summary>
/// <param name="Numbers">One number, or one per channel.</param>
/// <param name="Base">The computed part, or null.</param>
/// <param name="Exponent">1 or −1 for the base or its inverse, 0 without one.</param>
internal sealed record ScaleFactor(double[] Numbers, Value? Base, int Exponent)
{
    /// <summary>Inverse scales are written as rounded float32 or float16 constants.</summary>
    private const double Tolerance = 1e-3;

    private const int MostNodes = 8;

    /// <summary>More numbers are a weight, not the scales of channels.</summary>
    private const long MostChannels = 65536;

    /// <summary>Whether multiplying by it changes nothing.</summary>
    public bool IsOne => Base is null && Numbers.All(static n => Math.Abs(n - 1) <= Tolerance);

    /// <summary>One over it.</summary>
    public ScaleFactor Inverse => new([.. Numbers.Select(static n => 1 / n)], Base, -Exponent);

    /// <summary>Takes a scale apart: products, quotients and reciprocals of constants and one computed value.</summary>
    /// <param name="scale">The value that another one is multiplied by.</param>
    public static ScaleFactor Of(Value scale) => Of(scale, MostNodes);

    /// <summary>The product, or null where both have a computed part and these do not cancel.</summary>
    /// <param name="other">The other factor.</param>
    public ScaleFactor? Times(ScaleFactor other)
    {
        if (Numbers.Length != other.Numbers.Length && Numbers.Length != 1 && other.Numbers.Length != 1)
            return null;
        double[] numbers = [.. Enumerable.Range(0, Math.Max(Numbers.Length, other.Numbers.Length)).Select(
            i => Numbers[Numbers.Length == 1 ? 0 : i] * other.Numbers[other.Numbers.Length == 1 ? 0 : i])];
        if (Base is null || other.Base is null)
            return new ScaleFactor(numbers, Base ?? other.Base, Exponent + other.Exponent);
        return Base == other.Base && Exponent + other.Exponent == 0 ? new ScaleFactor(numbers, null, 0) : null;
    }

    private static ScaleFactor Of(Value scale, int nodesLeft)
    {
        if (scale.Constant is { } constant && constant.Type.IsFloating() && constant.Count is > 0 and <= MostChannels)
            return new ScaleFactor([.. constant.ToFloat32().Select(static n => (double)n)], null, 0);
        var opaque = new ScaleFactor([1], scale, 1);
        if (nodesLeft == 0 || scale.Producer is not { Domain: "" } node || node.Input(0) is not { } first)
            return opaque;
        return node.OpType switch
        {
            _ when Moves.Is(node) => Of(first, nodesLeft - 1),
            "Reciprocal" => Of(first, nodesLeft - 1).Inverse,
            "Mul" => Of(first, nodesLeft - 1).Times(Of(node.Inputs[1]!, nodesLeft - 1)) ?? opaque,
            "Div" => Of(first, nodesLeft - 1).Times(Of(node.Inputs[1]!, nodesLeft - 1).Inverse) ?? opaque,
            _ => opaque,
        };
    }
}
