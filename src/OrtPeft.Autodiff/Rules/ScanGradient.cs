using System.Collections.Immutable;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Tensors;

namespace OrtPeft.Autodiff.Rules;

/// <summary>
/// The gradient of a <c>Scan</c>. With s', y = f(s, x, w) in each step, another Scan goes from the last step to the first: of
/// s, x and dy it makes ds, which the step before reads, and dx, and adds up dw for values w of the graph around it. The
/// states s are those of the same Scan run once more.
/// </summary>
internal sealed class ScanGradient
{
    private readonly RuleContext _c;
    private readonly ScanForm _form;
    private readonly string _name;
    private readonly int[] _floats;
    private readonly int[] _steps;
    private readonly int[] _results;
    private readonly Value[] _outer;

    /// <summary>Looks at what has a gradient.</summary>
    public ScanGradient(RuleContext c, ScanForm form)
    {
        (_c, _form) = (c, form);
        _name = c.G.Graph.FreshName($"{c.G.Scope}/Scan");
        _floats = [.. Enumerable.Range(0, form.States).Where(i => form.Body.Inputs[i].Type.IsFloating())];
        _steps = [.. Enumerable.Range(0, form.Steps).Where(j => IsWanted(c.Node.Inputs[form.States + j]))];
        _results = [.. Enumerable.Range(0, form.Results).Where(k => c.Upstream(form.States + k) is not null)];
        _outer = [.. Captured(form.Body).Where(IsWanted).Distinct()];
    }

    /// <summary>Adds the nodes; an entry for each input.</summary>
    public IReadOnlyList<Value?> Build()
    {
        var saved = SavedStates();
        Value?[] read =
        [
            .. _floats.Select(i => _c.Upstream(i) ?? _c.G.ZerosLike(_c.Node.Inputs[i]!)),
            .. _outer.Select(_c.G.ZerosLike),
            .. saved,
            .. _c.Node.Inputs.Skip(_form.States),
            .. _results.Select(k => _c.Upstream(_form.States + k)),
        ];
        var made = _c.G.Ops("Scan", _floats.Length + _outer.Length + _steps.Length, read,
        [
            NodeAttribute.Of("body", Backwards()),
            NodeAttribute.Of("num_scan_inputs", (long)(saved.Count + _form.Steps + _results.Length)),
            Numbers("scan_input_axes", [.. saved.Select(static _ => 0L), .. _form.InputAxes, .. _results.Select(k => _form.OutputAxes[k])]),
            Numbers(
                "scan_input_directions",
                [
                    .. saved.Select(static _ => 1L), .. _form.InputDirections.Select(Turned),
                    .. _results.Select(k => Turned(_form.OutputDirections[k])),
                ]),
            Numbers("scan_output_axes", _steps.Select(j => _form.InputAxes[j])),
            Numbers("scan_output_directions", _steps.Select(j => Turned(_form.InputDirections[j]))),
        ]);
        foreach (var (n, value) in _outer.Index())
            _c.OfCaptured.Add((value, made[_floats.Length + n]));
        var gradients = new Value?[_c.Node.Inputs.Count];
        foreach (var (n, i) in _floats.Index())
            gradients[i] = made[n];
        foreach (var (n, j) in _steps.Index())
            gradients[_form.States + j] = made[_floats.Length + _outer.Length + n];
        return gradients;
    }

    /// <summary>The states that each step reads, stacked along the first axis.</summary>
    private IReadOnlyList<Value> SavedStates()
    {
        if (_form.States == 0)
            return [];
        var again = GraphCopy.Again(_form.Body, $"{_name}/states");
        var g = new GraphBuilder(again, _c.G.Shapes) { Scope = $"{_name}/states" };
        foreach (var result in again.Outputs.Skip(_form.States).ToArray())
            again.RemoveOutput(result);
        foreach (var state in again.Inputs.Take(_form.States).ToArray())
            again.AddOutput(g.Op("Identity", state));
        again.RemoveDeadCode();
        return
        [
            .. _c.G.Ops("Scan", 2 * _form.States, [.. _c.Node.Inputs],
            [
                NodeAttribute.Of("body", again),
                NodeAttribute.Of("num_scan_inputs", (long)_form.Steps),
                Numbers("scan_input_axes", _form.InputAxes),
                Numbers("scan_input_directions", _form.InputDirections),
            ]).Skip(_form.States),
        ];
    }

    /// <summary>
    /// The body that goes back: it reads ds', sums of dw, s, x and dy, computes the step once more, and gives ds, the sums with
    /// its own dw, and dx.
    /// </summary>
    private Graph Backwards()
    {
        var (back, scope) = (GraphCopy.Again(_form.Body, $"{_name}/back"), $"{_name}/back");
        Value[] inside = [.. back.Inputs];
        Value[] results = [.. back.Outputs];
        foreach (var result in results)
            back.RemoveOutput(result);
        Value[] dStates = [.. _floats.Select(i => Like($"state_{i}", inside[i]))];
        Value[] sums = [.. _outer.Select((v, n) => Like($"outer_{n}", v))];
        Value[] dResults = [.. _results.Select(k => Like($"result_{k}", results[_form.States + k]))];
        back.OrderInputs([.. dStates, .. sums, .. inside, .. dResults]);
        var g = new GraphBuilder(back, _c.G.Shapes) { Scope = scope };
        var gradients = _c.Inside(
            g,
            [
                .. _floats.Select((i, n) => new Seed(results[i], dStates[n])),
                .. _results.Select((k, n) => new Seed(results[_form.States + k], dResults[n])),
            ],
            [.. _floats.Select(i => inside[i]), .. _outer, .. _steps.Select(j => inside[_form.States + j])]);
        g.Scope = scope;
        foreach (var (n, gradient) in gradients.Index())
        {
            var isSum = n >= _floats.Length && n < _floats.Length + _outer.Length;
            back.AddOutput(g.Op("Identity", isSum ? g.Add(sums[n - _floats.Length], gradient) : gradient));
        }

        back.RemoveDeadCode();
        return back;

        Value Like(string name, Value value) => back.AddInput($"{scope}/d_{name}", value.Type, value.Shape);
    }

    private bool IsWanted(Value? value) => value is not null && value.Type.IsFloating() && _c.Wanted.Contains(value);

    /// <summary>The values that a body, and bodies within it, read of graphs around them.</summary>
    private static IEnumerable<Value> Captured(Graph body) => body.Nodes
        .SelectMany(static n => n.Inputs.OfType<Value>().Concat(n.Subgraphs.SelectMany(Captured)))
        .Concat(body.Outputs)
        .Where(v => v.Graph != body);

    private static long Turned(long direction) => 1 - direction;

    private static NodeAttribute Numbers(string name, IEnumerable<long> numbers) =>
        NodeAttribute.Of(name, numbers.ToImmutableArray());
}
