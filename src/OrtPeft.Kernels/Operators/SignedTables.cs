using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;

namespace OrtPeft.Kernels.Operators;

/// <summary>The tables of <see cref="RotaryEmbedding"/>, made of a graph's once for all layers: whole rows, the sines of the first
/// half with the other sign.</summary>
internal sealed class SignedTables(GraphBuilder g)
{
    private readonly Dictionary<(Value Cos, Value Sin, bool OfHalves), (Value Cos, Value Sin)> _tables = [];

    /// <summary>A form's tables.</summary>
    public (Value Cos, Value Sin) Of(RotaryForm form)
    {
        if (form.HasSigns)
            return (form.Cos, form.Sin);
        var width = form.Cos.Shape![form.Cos.Shape.Rank - 1].Value!.Value;
        var ofHalves = width != form.X.Shape![form.X.Shape.Rank - 1].Value;
        if (!_tables.TryGetValue((form.Cos, form.Sin, ofHalves), out var tables))
        {
            if (ofHalves)
            {
                tables = (g.Concat(-1, form.Cos, form.Cos), g.Concat(-1, g.Neg(form.Sin), form.Sin));
            }
            else
            {
                var halves = g.Split(form.Sin, -1, width / 2, width / 2);
                tables = (form.Cos, g.Concat(-1, g.Neg(halves[0]), halves[1]));
            }

            _tables.Add((form.Cos, form.Sin, ofHalves), tables);
        }

        return tables;
    }
}
