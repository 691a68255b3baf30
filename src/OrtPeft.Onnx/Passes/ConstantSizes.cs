using System.Globalization;
using OrtPeft.Onnx.Shapes;
using OrtPeft.Tensors;

namespace OrtPeft.Onnx.Passes;

/// <summary>
/// Refuses graphs whose nodes blow constants up. ONNX Runtime computes what depends on no input when a session opens,
/// so a file of a few kilobytes could take any memory and time. Masks, ranges and rotary tables of the longest contexts
/// stay far below the limit, and weights that a graph casts or dequantises grow in proportion to what the file holds.
/// </summary>
internal static class ConstantSizes
{
    /// <summary>The size that a value that depends on no input may have whatever it is computed from, in bytes.</summary>
    public const long AlwaysAllowed = 1L << 29;

    /// <summary>The size that it may have, as a multiple of the largest constant that it is computed from.</summary>
    public const long Growth = 64;

    /// <summary>No machine holds a value of so many bytes, whatever the axes that the data decides.</summary>
    private const double Impossible = 1L << 40;

    /// <summary>Runs the check; it infers shapes and changes nothing else.</summary>
    /// <param name="model">The model.</param>
    /// <exception cref="UnsupportedOpException">A node's result is too large; the message names both.</exception>
    /// <exception cref="GraphException">A node contradicts its operator's definition.</exception>
    public static void Run(Model model)
    {
        ArgumentNullException.ThrowIfNull(model);
        new ShapeInference(model.Opset).Infer(model.Graph);
        var origins = new Dictionary<Value, long>();
        foreach (var node in model.Graph.Nodes)
            Check(node, model.Opset, origins);
    }

    private static void Check(Node node, int opset, Dictionary<Value, long> origins)
    {
        var origin = OriginOf(node, origins);
        foreach (var output in node.Outputs)
        {
            if (origin is { } known)
                origins[output] = known;
            var limit = origin is { } bytes ? Math.Max(AlwaysAllowed, (double)bytes * Growth) : Impossible;
            if (BytesOf(output) is var size && size > limit)
            {
                var of = origin is null ? "" : " of constants";
                throw new UnsupportedOpException(
                    $"{node} (opset {opset}) makes {output.Type}{output.Shape}{of}, which takes " +
                    $"{size.ToString("0.#e0", CultureInfo.InvariantCulture)} bytes where " +
                    $"{limit.ToString("0.#e0", CultureInfo.InvariantCulture)} are allowed; export the model again.");
            }
        }
    }

    /// <summary>
    /// The bytes of the largest constant that a node's results are computed from; null where they depend on an input.
    /// </summary>
    private static long? OriginOf(Node node, Dictionary<Value, long> origins)
    {
        if (node.Subgraphs.Any())
            return null;
        long most = 0;
        foreach (var input in node.Inputs)
        {
            if (input is null)
                continue;
            if (input.Constant is { } constant)
                most = Math.Max(most, constant.Data.Length);
            else if (origins.TryGetValue(input, out var origin))
                most = Math.Max(most, origin);
            else
                return null;
        }

        return most;
    }

    /// <summary>At least so many bytes: axes that are not known count as 1.</summary>
    private static double BytesOf(Value value)
    {
        if (value.Shape is not { } shape || value.Type == ElementType.Undefined)
            return 0;
        return shape.Aggregate(value.Type.BitSize() / 8.0, static (size, dim) => size * (dim.Value ?? 1));
    }
}
