using OrtPeft.Kernels;
using OrtPeft.Kernels.Operators;
using OrtPeft.Kernels.Products;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Passes;
using OrtPeft.Onnx.Shapes;
using OrtPeft.Tensors;

namespace OrtPeft.Compilation.Rewrites;

/// <summary>
/// The operators after a product with a constant matrix, done while the product is in the cache: the bias and the
/// residual sum, GELU, and GELU's gradient. Layer normalisation's gradient takes what is added to it, too.
/// </summary>
internal static class ProductEpilogues
{
    private const int None = -1;

    public static void Run(GraphBuilder g)
    {
        RemoveRoundTrips(g);
        Flatten(g);
        foreach (var node in g.Graph.Nodes.ToArray())
        {
            if (node.Is("Add"))
                AddTo(g, node);
            else if (Gelu.Forward.Is(node))
                Activate(g, node);
            else if (Gelu.Backward.Is(node))
                MultiplySlope(g, node);
        }
    }

    /// <summary>Reshaping there and back again goes.</summary>
    private static void RemoveRoundTrips(GraphBuilder g)
    {
        foreach (var reshape in g.Graph.Nodes.Where(static n => n.Is("Reshape")).ToArray())
        {
            var source = SameRows.Source(reshape.Output);
            if (source == reshape.Output || reshape.Output.IsGraphOutput
                || !SameRows.AreOfOneShape(source.Shape, reshape.Output.Shape))
                continue;
            g.Graph.ReplaceAllUsesWith(reshape.Output, source);
            g.Graph.Remove(reshape);
        }
    }

    /// <summary>Products take rows of any number of axes: what only makes two of them and more again goes.</summary>
    private static void Flatten(GraphBuilder g)
    {
        foreach (var product in g.Graph.Nodes.Where(IsProduct).ToArray())
        {
            var (rows, y) = (SameRows.Source(product.Inputs[0]!), product.Output);
            if (rows == product.Inputs[0] || y is not { IsGraphOutput: false, Shape: { } shape }
                || rows.Shape is not { } given)
                continue;
            Shape result = [.. given.Take(given.Rank - 1), shape[shape.Rank - 1]];
            var readers = SameRows.Readers(y);
            if (!readers.All(n => n.Is("Reshape") && SameRows.AreOfOneShape(result, n.Output.Shape))
                || !AnswerForShape(g, y, shape))
                continue;
            product.SetInput(0, rows);
            y.Shape = result;
            foreach (var reshape in readers)
                Replacement.Put(g, reshape, y);
        }

        // Reshapes that are gone asked for shapes.
        g.Graph.RemoveDeadCode();
    }

    /// <summary>Tells those that ask for a matrix's shape in order to give it to other rows; whether that is all that
    /// anybody asks for.</summary>
    private static bool AnswerForShape(GraphBuilder g, Value y, Shape shape)
    {
        var questions = y.Uses.Select(static u => u.Node).Where(static n => n.Is("Shape")).Distinct().ToArray();
        if (questions.Length == 0)
            return true;
        if (shape.Rank != 2 || shape[1].Value is not { } columns || questions.Any(static q => q.Output.IsGraphOutput
            || !q.Output.Uses.All(static u => u.Node.Is("Reshape") && u.Index == 1)))
            return false;
        foreach (var question in questions)
            Replacement.Put(g, question, g.Int64(-1, columns));
        return true;
    }

    /// <summary>Puts a sum into the product that it adds to.</summary>
    private static void AddTo(GraphBuilder g, Node add)
    {
        for (var side = 0; side < 2; side++)
        {
            var (y, term) = (add.Inputs[side]!, add.Inputs[1 - side]!);
            if (y is not { IsGraphOutput: false, Uses.Count: 1, Producer: { } product, Shape: { } shape }
                || SlotOf(product, shape, term) is not { } slot || product.Input(slot) is not null)
                continue;
            var inputs = Enumerable.Range(0, Math.Max(slot + 1, product.Inputs.Count))
                .Select(i => i == slot ? term : product.Input(i));
            var results = FusedOps.Of(product)!.Apply(g, add, [.. inputs], [.. product.Outputs]);
            Replacement.Put(g, add, results[0]);
            Replacement.Put(g, product, results);
            return;
        }
    }

    /// <summary>The input of a node that takes a term of this kind.</summary>
    private static int? SlotOf(Node node, Shape shape, Value term)
    {
        var (ofVector, ofRows) = node switch
        {
            _ when PackedMatMul.Forward.Is(node) => (3, 4),
            _ when PackedMatMul.Lora.Is(node) => (6, 7),
            // What it adds is read after it has written over its first input.
            _ when (LayerNorm.Backward.Is(node) || RmsNorm.Backward.Is(node)) && term != node.Inputs[0] => (None, 4),
            _ => (None, None),
        };
        if (term.Type is not ElementType.Float)
            return null;
        var isVector = term.Shape is { Rank: 1 } vector && vector[0].SurelyEquals(shape[shape.Rank - 1]);
        var slot = isVector ? ofVector : shape.Rank > 1 && SameRows.AreOfOneShape(shape, term.Shape) ? ofRows : None;
        return slot == None ? null : slot;
    }

    /// <summary>Puts GELU into the product before it.</summary>
    private static void Activate(GraphBuilder g, Node gelu)
    {
        if (gelu.Inputs[0] is not { Producer: { } product, IsGraphOutput: false } hidden
            || !PackedMatMul.Forward.Is(product) || gelu.Input(1) is null || product.Inputs.Skip(3).Any(static i => i is not null))
            return;
        var results = PackedMatMul.Gelu.Apply(
            g, product, [.. product.Inputs.Take(3), gelu.Inputs[1]], gelu.Output, hidden);
        Replacement.Put(g, gelu, results[0]);
        Replacement.Put(g, product, results[1]);
    }

    /// <summary>Puts GELU's gradient into the product before it.</summary>
    private static void MultiplySlope(GraphBuilder g, Node gradient)
    {
        if (gradient.Inputs[0] is not { Producer: { } product, IsGraphOutput: false } dY
            || !PackedMatMul.Transposed.Is(product) || gradient.Input(2) is null || SameRows.Readers(dY) is not [_]
            || !SameRows.AreOfOneShape(dY.Shape, gradient.Inputs[1]!.Shape))
            return;
        var result = PackedMatMul.GeluGrad.Apply(
            g, gradient, [.. product.Inputs, gradient.Inputs[1], gradient.Inputs[2]], gradient.Output)[0];
        Replacement.Put(g, gradient, result);
        Replacement.Put(g, product, result);
    }

    private static bool IsProduct(Node node) => PackedMatMul.Forward.Is(node)
        || PackedMatMul.Transposed.Is(node) || PackedMatMul.Lora.Is(node)
        || PackedMatMul.LoraGrad.Is(node);
}
