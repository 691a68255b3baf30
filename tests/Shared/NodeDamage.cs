using System.Collections.Immutable;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Shapes;
using OrtPeft.Tensors;
using OrtPeft.Tensors.Storage;

namespace OrtPeft.Testing;

/// <summary>One way to make a node contradict its operator's definition: a form that a damaged file gives it.</summary>
/// <param name="Text">What is done, for messages.</param>
/// <param name="Apply">Changes what the node is made of.</param>
internal sealed record NodeDamage(string Text, Action<NodeDraft> Apply)
{
    private static readonly ElementType[] Types =
    [
        ElementType.Undefined, ElementType.String, ElementType.Bool, ElementType.Float, ElementType.Double,
        ElementType.Float16, ElementType.BFloat16, ElementType.Int64, ElementType.Int32, ElementType.UInt8,
        ElementType.Int4, ElementType.Complex64, ElementType.Float8E4M3FN,
    ];

    private static readonly Tensor[] Contents =
    [
        Tensor.Vector<long>(), Tensor.Vector(-1L), Tensor.Vector(99L), Tensor.Vector(0L, 0L), Tensor.Vector(0L),
        Tensor.Vector(long.MaxValue, long.MinValue), Tensor.Vector(1L << 62, 1L << 62), Tensor.Scalar(-1L),
        Tensor.Scalar(7L), Tensor.Vector(1, 2, 3), Tensor.Scalar(0.5f), Tensor.Vector<float>(), Tensor.Vector(-1f, 2f),
        Tensor.Scalar(true), Tensor.Vector<bool>(), Tensor.Scalar((byte)2), Tensor.Scalar(2d),
        Tensor.Vector([.. Enumerable.Range(0, 70).Select(static n => (long)n)]), Tensor.Of<long>([1, 2], [1, 2]),
        Tensor.Of<float>([], [0, 4]), Tensor.Of<float>([1, 2, 3, 4, 5, 6, 7, 8], [2, 2, 2]), Tensor.Scalar((Half)2),
        new(ElementType.String, [1], new MemoryTensorData(Array.Empty<byte>())),
    ];

    private static readonly long[] Numbers =
        [0, 1, 2, 3, 5, -1, -9, 64, 1L << 31, 1L << 32 | 1, 1L << 62, long.MaxValue, long.MinValue];

    private static readonly ImmutableArray<long>[] Lists =
    [
        [], [0], [1], [-1], [0, 0], [1, 0], [2, 1, 0], [1, 1, 1, 1], [-1, -2], [9, 9, 9, 9, 9, 9], [0, 0, 0, 0, 0, 0, 0],
        [long.MaxValue, long.MaxValue], [long.MinValue], [1L << 62, 1L << 62, 1L << 62],
    ];

    /// <summary>Attributes that some rule reads.</summary>
    private static readonly string[] Names =
    [
        "axis", "axes", "perm", "keepdims", "noop_with_empty_axes", "to", "dtype", "output_dtype", "value", "value_int",
        "value_ints", "split", "num_outputs", "starts", "ends", "pads", "k", "shape", "allowzero", "equation",
        "strides", "dilations", "group", "auto_pad", "output_shape", "output_padding", "num_heads", "kv_num_heads",
        "q_num_heads", "qkv_hidden_sizes", "scale", "softcap", "epsilon", "alpha", "min", "max", "ratio", "transA",
        "transB", "transBatchA", "batch_dims", "sample_size", "stash_type", "K", "N", "bits", "block_size",
        "rotary_embedding_dim", "softmax_precision", "mode", "reduction", "direction", "start", "end", "num_groups",
        "ignore_index", "mask_filter_value", "do_rotary", "approximate", "spatial", "local_window_size",
        "smooth_softmax", "interleaved", "unidirectional", "is_causal", "depth", "exclusive", "reverse",
    ];

    /// <summary>All that is tried on a node.</summary>
    public static IEnumerable<NodeDamage> Of(Node node) =>
    [
        new("nothing", static _ => { }),
        .. Inputs(node.Inputs.Count),
        .. Enumerable.Range(0, node.Inputs.Count).SelectMany(Input),
        .. node.Attributes.Select(static a => a.Name).SelectMany(Attribute),
        .. Names.Except(node.Attributes.Select(static a => a.Name)).SelectMany(Addition),
        new("without attributes", static draft => draft.Attributes.Clear()),
        .. Outputs(node.Outputs.Count),
    ];

    private static IEnumerable<NodeDamage> Inputs(int count) =>
    [
        .. Enumerable.Range(0, count).Select(static n =>
            new NodeDamage($"{n} inputs", draft => draft.Inputs.RemoveRange(n, draft.Inputs.Count - n))),
        .. new[] { 1, 2, 5, 20 }.SelectMany(static more => new NodeDamage[]
        {
            new($"{more} inputs more", draft => draft.Inputs.AddRange(
                Enumerable.Repeat(draft.Fed(ElementType.Float, [2, 3]), more))),
            new($"{more} inputs left out at the end", draft => draft.Inputs.AddRange(new Value?[more])),
        }),
    ];

    private static IEnumerable<NodeDamage> Input(int index) =>
    [
        new($"without input {index}", draft => draft.Inputs[index] = null),
        new($"input {index} of unknown shape", draft => draft.Change(index, null, null)),
        .. Types.Select(type => new NodeDamage($"input {index} as {type}", draft => draft.Change(index, type))),
        .. Enumerable.Range(0, 6).SelectMany(rank => new NodeDamage[]
        {
            new($"input {index} of rank {rank}", draft => draft.Change(index, null, Twos(rank))),
            new($"input {index} of rank {rank}, unknown", draft => draft.Change(
                index, null, Shape.Create([.. new Dim[rank]]))),
            new($"input {index} of rank {rank}, empty", draft => draft.Change(
                index, null, Shape.Of(new long[rank]))),
        }),
        .. Contents.Select(content => new NodeDamage($"input {index} = {content}", draft =>
            draft.Inputs[index] = draft.Graph.AddInitializer(draft.Graph.FreshName("odd_constant"), content))),
        new($"input {index} the same as the first", draft => draft.Inputs[index] = draft.Inputs[0]),
    ];

    private static IEnumerable<NodeDamage> Attribute(string name) =>
    [
        new NodeDamage($"without {name}", draft => draft.Attributes.RemoveAll(a => a.Name == name)),
        .. Numbers.Select(n => Set(NodeAttribute.Of(name, n), $"{n}")),
        .. Lists.Select(list => Set(NodeAttribute.Of(name, list), $"[{string.Join(", ", list)}]")),
        Set(NodeAttribute.Of(name, 0.5f), "0.5f"),
        Set(NodeAttribute.Of(name, float.NaN), "NaN"),
        Set(NodeAttribute.Of(name, ""), "''"),
        Set(NodeAttribute.Of(name, "x"), "'x'"),
        Set(NodeAttribute.Of(name, "SAME_UPPER"), "'SAME_UPPER'"),
        Set(NodeAttribute.Of(name, "...->,"), "'...->,'"),
        Set(NodeAttribute.Of(name, Tensor.Vector<long>()), "an empty tensor"),
        Set(NodeAttribute.Of(name, Tensor.Vector(1L, 2L)), "a tensor"),
    ];

    private static IEnumerable<NodeDamage> Addition(string name) =>
    [
        Set(NodeAttribute.Of(name, -1L), "-1"),
        Set(NodeAttribute.Of(name, [9, 9, 9, 9, 9, 9]), "[9, …]"),
        Set(NodeAttribute.Of(name, "x"), "'x'"),
    ];

    private static NodeDamage Set(NodeAttribute attribute, string value) => new($"{attribute.Name} = {value}", draft =>
    {
        draft.Attributes.RemoveAll(a => a.Name == attribute.Name);
        draft.Attributes.Add(attribute);
    });

    private static IEnumerable<NodeDamage> Outputs(int count) =>
    [
        .. Enumerable.Range(0, count).Select(static n =>
            new NodeDamage($"{n} outputs", draft => draft.Outputs.RemoveRange(n, draft.Outputs.Count - n))),
        .. Enumerable.Range(0, count).Select(static n =>
            new NodeDamage($"without output {n}", draft => draft.Outputs[n] = "")),
        new("an output more", static draft => draft.Outputs.Add("odd_output")),
        new("9 outputs more", static draft =>
            draft.Outputs.AddRange(Enumerable.Range(0, 9).Select(static n => $"odd_output_{n}"))),
    ];

    private static Shape Twos(int rank) => Shape.Of(Enumerable.Repeat(2L, rank));
}
