using OrtPeft.Onnx.Building;
using OrtPeft.Tensors;

namespace OrtPeft.Onnx.Passes.Products;

/// <summary>
/// <c>Einsum</c> of an activation and a constant as a product: the letters that both have and the result lacks are the
/// features that the layer reads, those of the constant alone the ones that it makes. Each may be several axes, such
/// as heads and their width, where these stand beside each other in the constant.
/// </summary>
/// <seealso href="https://onnx.ai/onnx/operators/onnx__Einsum.html">Einsum, opset 12.</seealso>
internal static class EinsumProduct
{
    private const string Ellipsis = "...";

    public static (Value Product, Value Result)? Of(Node node, GraphBuilder g)
    {
        if (node.Inputs.Count != 2)
            return null;
        var at = IsWeight(node.Inputs[1]!) && !IsWeight(node.Inputs[0]!) ? 1 : 0;
        var (weight, x) = (node.Inputs[at]!, node.Inputs[1 - at]!);
        if (!IsWeight(weight) || IsWeight(x) || Letters(node, x.Shape?.Rank) is not { } terms)
            return null;
        var (ofWeight, ofX, ofResult) = (terms[at], terms[1 - at], terms[2]);
        var read = string.Concat(ofWeight.Intersect(ofX).Except(ofResult));
        var made = string.Concat(ofWeight.Except(ofX).Intersect(ofResult));
        var rest = string.Concat(ofX.Intersect(ofResult));
        var isProduct = read.Length > 0 && made.Length > 0 && read.Length + made.Length == ofWeight.Length
            && rest.Length + read.Length == ofX.Length && rest.Length + made.Length == ofResult.Length
            && (ofWeight == read + made || ofWeight == made + read);
        return isProduct && MatrixOf(weight, read.Length, ofWeight == made + read, g) is { } matrix
            && HaveEqualLengths(weight, ofWeight, x, ofX, read)
            ? Product(g, (x, ofX), (weight, matrix, ofWeight), (rest, read, made), ofResult)
            : null;
    }

    private static (Value Product, Value Result) Product(
        GraphBuilder g,
        (Value Value, string Axes) x,
        (Value Value, Value Matrix, string Axes) weight,
        (string Kept, string Read, string Made) letters,
        string result)
    {
        var (kept, read, made) = letters;
        var rows = Ordered(g, x.Value, x.Axes, kept + read);
        if (read.Length > 1)
            rows = g.Reshape(rows, [.. kept.Select(static _ => 0L), weight.Matrix.Shape![0].Value!.Value]);
        var product = g.MatMul(rows, weight.Matrix);
        var y = product;
        if (made.Length > 1)
        {
            var dims = made.Select(l => weight.Value.Initializer!.Dims[weight.Axes.IndexOf(l, StringComparison.Ordinal)]);
            y = g.Reshape(y, [.. kept.Select(static _ => 0L), .. dims]);
        }

        return (product, Ordered(g, y, kept + made, result));
    }

    private static Value Ordered(GraphBuilder g, Value value, string have, string want) => have == want
        ? value
        : g.Transpose(value, [.. want.Select(l => (long)have.IndexOf(l, StringComparison.Ordinal))]);

    /// <summary>The constant as [in, out].</summary>
    private static Value? MatrixOf(Value weight, int reads, bool isOutByIn, GraphBuilder g)
    {
        if (weight.Shape?.Rank == 2)
            return isOutByIn ? ConstantMatrix.Turned(g, weight) : weight;
        if (weight is not { Initializer.Dims: var dims, IsGraphInput: false })
            return null;
        var first = dims.Take(isOutByIn ? dims.Length - reads : reads).Aggregate(1L, static (a, b) => a * b);
        var matrix = SameBytes.As(g, weight, first, first == 0 ? 0 : weight.Initializer.Count / first);
        return isOutByIn ? g.Transpose(matrix, 1, 0) : matrix;
    }

    private static bool IsWeight(Value value) => ConstantMatrix.Is(value)
        || (value is { Initializer.Dims.Length: > 2, IsGraphInput: false } && value.Type.IsFloating());

    /// <summary>An axis of length 1 is repeated by <c>Einsum</c> and not by a product.</summary>
    private static bool HaveEqualLengths(Value weight, string ofWeight, Value x, string ofX, string read) => read.All(l =>
        x.Shape![ofX.IndexOf(l, StringComparison.Ordinal)].Value is not { } length
        || length == weight.Shape![ofWeight.IndexOf(l, StringComparison.Ordinal)].Value);

    /// <summary>The letters of both operands and of the result, an ellipsis written out; null where they do not say a
    /// product of axes that stand once.</summary>
    private static string[]? Letters(Node node, int? rank)
    {
        var equation = node.Attributes.String("equation", "").Replace(" ", "", StringComparison.Ordinal);
        var sides = equation.Split("->");
        var terms = sides[0].Split(',');
        if (rank is null || terms.Length != 2 || sides.Length > 2)
            return null;
        var result = sides.Length == 2 ? sides[1] : Implicit(sides[0]);
        string[] all = [.. terms, result];
        var hidden = all.Take(2).Select((t, i) => !t.Contains(Ellipsis, StringComparison.Ordinal)
            ? 0
            : node.Inputs[i]!.Shape?.Rank - (t.Length - Ellipsis.Length) ?? -1).ToArray();
        var unused = Enumerable.Range('A', 26).Concat(Enumerable.Range('a', 26)).Select(static c => (char)c)
            .Where(c => !equation.Contains(c, StringComparison.Ordinal)).ToArray();
        if (hidden.Any(h => h < 0 || h > unused.Length) || (hidden[0] > 0 && hidden[1] > 0))
            return null;
        var letters = new string(unused[..hidden.Max()]);
        string[] written =
        [
            .. all.Select((t, i) => t.Replace(Ellipsis, i == 2 ? letters : letters[..hidden[i]], StringComparison.Ordinal)),
        ];
        var areAxes = written.All(static t => t.All(char.IsAsciiLetter) && t.Distinct().Count() == t.Length);
        return areAxes && written.Take(2).Index().All(t => node.Inputs[t.Index]!.Shape?.Rank == t.Item.Length) ? written : null;
    }

    /// <summary>Without an arrow, the axes that stand once, in alphabetical order after those of the ellipsis.</summary>
    private static string Implicit(string inputs)
    {
        var axes = inputs.Where(char.IsAsciiLetter).GroupBy(static a => a);
        var once = string.Concat(axes.Where(static a => a.Count() == 1).Select(static a => a.Key).Order());
        return inputs.Contains(Ellipsis, StringComparison.Ordinal) ? Ellipsis + once : once;
    }
}
