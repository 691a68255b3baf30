using OrtPeft.Autodiff.Tests.Proof;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using static OrtPeft.Autodiff.Tests.Proof.TestInput;

namespace OrtPeft.Autodiff.Tests.Cases;

/// <summary>
/// Convolutions over one and two axes. Kernels are reshaped to stated lengths, which their gradient needs.
/// </summary>
internal static class ConvolutionCases
{
    public static IEnumerable<GradientCase> Rows =>
    [
        Conv("pointwise", new(), Generic(2, 2, 3), 3, 2, 1),
        Conv("a kernel of three", new(), Generic(2, 2, 5), 2, 2, 3),
        Conv("as long as the input", new(), Generic(1, 2, 3), 2, 2, 3),
        Conv("pads", new(Pads: [1, 1]), Generic(2, 2, 4), 2, 2, 3),
        Conv("asymmetric pads", new(Pads: [2, 1]), Generic(1, 2, 4), 2, 2, 3),
        Conv("pads in front, as in a causal model", new(Pads: [2, 0], Group: 2), Generic(2, 2, 4), 2, 1, 3),
        Conv("a stride", new(Strides: [2]), Generic(1, 2, 7), 2, 2, 3),
        Conv("a stride with a remainder", new(Strides: [3]), Generic(1, 2, 9), 2, 2, 2),
        Conv("a stride longer than the kernel", new(Strides: [3]), Generic(2, 1, 6), 2, 1, 1),
        Conv("a dilation", new(Dilations: [2]), Generic(1, 2, 7), 2, 2, 3),
        Conv("everything", new([2], [2], [1, 2], 2), Generic(2, 4, 6), 6, 2, 2),
        Conv("depthwise", new(Group: 3), Generic(2, 3, 5), 3, 1, 2),
        Conv("depthwise with a multiplier", new(Group: 2), Generic(2, 2, 4), 4, 1, 2),
        Conv("two axes", new(), Generic(2, 2, 3, 4), 2, 2, 2, 3),
        Conv("two axes, everything", new([2, 1], [1, 2], [1, 0, 0, 2], 2), Generic(2, 2, 4, 4), 4, 1, 2, 2),
        Conv("patches", new(Strides: [2, 2]), Generic(1, 2, 4, 4), 3, 2, 2, 2),
        new("Conv", "a bias", static (g, x) => [g.Op("Conv", x[0], g.Reshape(x[1], 2, 2, 3), x[2])],
            Generic(2, 2, 4), Generic(12), Generic(2)),
        new("Conv", "two axes and a bias", static (g, x) => [g.Op("Conv", x[0], g.Reshape(x[1], 2, 1, 2, 2), x[2])],
            Generic(2, 1, 3, 3), Generic(8), Generic(2)),
        new("Conv", "auto_pad VALID", static (g, x) =>
            [g.Op("Conv", [x[0], g.Reshape(x[1], 1, 2, 2)], NodeAttribute.Of("auto_pad", "VALID"))],
            Generic(1, 2, 4), Generic(4)),
    ];

    private static GradientCase Conv(string name, Form form, TestInput x, params long[] kernel) => new(
        "Conv",
        name,
        (g, v) => [g.Op("Conv", [v[0], g.Reshape(v[1], kernel)], form.Attributes)],
        x,
        Generic(kernel.Aggregate(static (product, d) => product * d)));

    /// <summary>What is not the default.</summary>
    private sealed record Form(
        long[]? Strides = null, long[]? Dilations = null, long[]? Pads = null, long Group = 1)
    {
        public NodeAttribute[] Attributes =>
        [
            NodeAttribute.Of("group", Group),
            .. new[] { ("strides", Strides), ("dilations", Dilations), ("pads", Pads) }
                .Where(static list => list.Item2 is not null)
                .Select(static list => NodeAttribute.Of(list.Item1, [.. list.Item2!])),
        ];
    }
}
