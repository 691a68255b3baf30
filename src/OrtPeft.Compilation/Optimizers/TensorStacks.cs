using OrtPeft.Artifacts;
using OrtPeft.Onnx.Building;
using OrtPeft.Tensors;
using static OrtPeft.Onnx.Building.Formula;

namespace OrtPeft.Compilation.Optimizers;

/// <summary>
/// The tensors of a flat vector, those of one shape stacked, for optimisers that know rows and columns: however many
/// layers there are, the nodes are those of one.
/// </summary>
internal sealed class TensorStacks
{
    private readonly GraphBuilder _g;
    private readonly IReadOnlyList<ArtifactParameter> _parameters;
    private readonly long _length;
    private readonly int[] _stackOf;

    /// <summary>Groups a layout's tensors, in the order in which their shapes come.</summary>
    public TensorStacks(GraphBuilder g, IReadOnlyList<ArtifactParameter> parameters, long length)
    {
        (_g, _parameters, _length) = (g, parameters, length);
        var shapes = new List<IReadOnlyList<long>>();
        _stackOf = [.. parameters.Select(p => Find(shapes, p.Dims))];
        All = [.. shapes.Select((dims, i) => new TensorStack(_stackOf.Count(s => s == i), dims))];
    }

    /// <summary>The stacks.</summary>
    public IReadOnlyList<TensorStack> All { get; }

    /// <summary>Takes a flat vector apart.</summary>
    /// <param name="flat">[n].</param>
    /// <returns>Of each stack [tensors, …axes of one].</returns>
    public IReadOnlyList<Term> Of(Term flat)
    {
        var (lengths, places) = (new List<long>(), new List<int>());
        long at = 0;
        foreach (var parameter in _parameters)
        {
            if (parameter.Offset!.Value > at)
                lengths.Add(parameter.Offset.Value - at);
            places.Add(lengths.Count);
            lengths.Add(parameter.Count);
            at = parameter.Offset.Value + parameter.Count;
        }

        if (at < _length)
            lengths.Add(_length - at);
        var pieces = Parts(flat, lengths);
        return [.. All.Select((stack, i) => Reshape(
            Join([.. places.Where((_, p) => _stackOf[p] == i).Select(place => pieces[place])]),
            [stack.Tensors, .. stack.Dims]))];
    }

    /// <summary>Puts stacks together again; the gaps are zeros.</summary>
    /// <param name="stacks">Of each stack [tensors, …axes of one].</param>
    /// <returns>[n].</returns>
    public Term Flat(IReadOnlyList<Term> stacks)
    {
        var tensors = All.Select((stack, i) => new Queue<Term>(Parts(
            Reshape(stacks[i], -1), [.. Enumerable.Repeat(stack.Count, (int)stack.Tensors)]))).ToArray();
        var pieces = new List<Term>();
        long at = 0;
        foreach (var (i, parameter) in _parameters.Index())
        {
            AddGap(pieces, parameter.Offset!.Value - at);
            pieces.Add(tensors[_stackOf[i]].Dequeue());
            at = parameter.Offset.Value + parameter.Count;
        }

        AddGap(pieces, _length - at);
        return Join(pieces);
    }

    /// <summary>Cuts a vector into parts of some lengths.</summary>
    public IReadOnlyList<Term> Parts(Term vector, IReadOnlyList<long> lengths) => lengths.Count == 1
        ? [vector]
        : [.. _g.Ops("Split", lengths.Count, [vector, _g.Int64([.. lengths])], []).Select(_g.Term)];

    /// <summary>Puts vectors one after another.</summary>
    public Term Join(IReadOnlyList<Term> parts) =>
        parts.Count == 1 ? parts[0] : _g.Term(_g.Concat(0, [.. parts.Select(static p => p.Value)]));

    private static int Find(List<IReadOnlyList<long>> shapes, IReadOnlyList<long> dims)
    {
        var found = shapes.FindIndex(s => s.SequenceEqual(dims));
        if (found >= 0)
            return found;
        shapes.Add(dims);
        return shapes.Count - 1;
    }

    private void AddGap(List<Term> pieces, long length)
    {
        if (length > 0)
            pieces.Add(_g.Term(_g.Constant(Tensor.Of<float>(new float[length], [length]), "gap")));
    }
}
