using OrtPeft.Adapters.Lora.Initialization;
using OrtPeft.Adapters.Modules;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;

namespace OrtPeft.Adapters.Lora;

/// <summary>
/// Adds s·(x·Aᵀ)·Bᵀ to one layer. Where A and B start as a part of the base (PiSSA, OLoRA), −s·(x·A₀ᵀ)·B₀ᵀ is added
/// too: the base's weight stays as it is on disk, and mapped.
/// </summary>
internal sealed class LoraGraph
{
    private readonly LoraTarget _target;
    private readonly LoraConfig _config;
    private readonly GraphBuilder _g;
    private readonly float _scale;
    private readonly Value _a;
    private readonly Value _b;
    private readonly EnabledParts? _parts;
    private readonly (Value A, Value B)? _start;

    private LoraGraph(LoraTarget target, LoraConfig config, GraphBuilder g, LoraFactors factors)
    {
        (_target, _config, _g) = (target, config, g);
        _scale = (float)config.ScaleOf(target.PatternName);
        _parts = EnabledParts.Of(config);
        if (target.Source is { } embedding)
        {
            g.Before = g.Graph.Nodes[0];
            _a = g.Transpose(g.Graph.Find(embedding.NameOfB)!, 1, 0);
            _b = g.Transpose(g.Graph.Find(embedding.NameOfA)!, 1, 0);
            return;
        }

        _a = g.Graph.AddInitializer(target.NameOfA, factors.A);
        _b = g.Graph.AddInitializer(target.NameOfB, factors.B);
        if (!factors.AreTakenFromBase)
            return;
        _start = (
            g.Graph.AddInitializer(HfName.StartOf(target.NameOfA), factors.A),
            g.Graph.AddInitializer(HfName.StartOf(target.NameOfB), factors.B));
    }

    /// <summary>Edits the graph around one layer.</summary>
    public static LoraParts Inject(LoraTarget target, LoraConfig config, GraphBuilder g, long seed)
    {
        var factors = LoraInitialisers.Factors(new LoraStartingPoint(target, config, seed));
        var graph = new LoraGraph(target, config, g, factors);
        return config.UseDora ? graph.WithMagnitude(factors) : graph.Plain();
    }

    private LoraParts Plain()
    {
        var x = _target.Input(_g);
        var low = _target.Times(_g, Dropped(x), _a, isOutByIn: true);
        var b = WholeB();
        var bias = _config.LoraBias
            ? _g.Graph.AddInitializer(_target.NameOfBBias, InitialWeights.Zeros(_target.OutFeatures))
            : null;
        _target.Replace(_g, y =>
        {
            var sum = _g.Term(_target.Sum(_g, low, b, WithoutStart(y, x), _scale));
            return bias is null ? sum : sum + _scale * _g.Term(bias);
        });
        return Parts(
            bias is null ? [] : [new AdapterParameter(_target.NameOfBBias, bias) { Role = _target.RoleOfB }], []);
    }

    /// <summary>
    /// DoRA: y = offset + f ⊙ (x·W + s·(x·Aᵀ)·Bᵀ), f = m / ‖W + s·B·A‖. With dropout d as in HF PEFT, only what is
    /// added to the base reads d(x): y = x·W + offset + (f − 1) ⊙ d(x)·W + f ⊙ s·(d(x)·Aᵀ)·Bᵀ.
    /// </summary>
    private LoraParts WithMagnitude(LoraFactors factors)
    {
        var x = _target.Input(_g);
        var dropped = Dropped(x);
        var low = _target.Times(_g, dropped, _a, isOutByIn: true);
        var b = WholeB();
        var dora = new Dora(_target, _scale);
        var first = InitialWeights.Promised(
            () => dora.FirstMagnitude(factors with { B = _parts?.Widened(factors.B) ?? factors.B }),
            _target.OutFeatures);
        var m = _g.Graph.AddInitializer(_target.NameOfMagnitude, first);
        Value? norm = null;
        _target.Replace(_g, y =>
        {
            norm = dora.Norm(_g, _a, b, _start);
            var f = _g.Term(m) / norm;
            var (whole, offset) = (_g.Term(y), _target.Offset(_g));
            var isLive = dropped != x;
            var product = isLive ? Product(dropped) : offset is null ? whole : whole - offset;
            var sum = _g.Gemm(low, b, WithoutStart(product, dropped), transB: true, alpha: _scale);
            var scaled = _g.Term(sum) * f;
            return isLive ? whole - product + scaled : offset is null ? scaled : scaled + offset;
        });
        // HF PEFT reads its name in memory too.
        return Parts([new AdapterParameter(_target.NameOfMagnitude, m) { Aliases = [$"{_target.NameOfMagnitude}.weight"] }], [norm!]);
    }

    /// <summary>B for all the layer's outputs.</summary>
    private Value WholeB() => _parts?.Widened(_g, _b) ?? _b;

    private Term Product(Value input) => _g.Term(_target.Times(_g, input, _target.Weight, _target.IsOutByIn));

    private Value WithoutStart(Value y, Value input) => _start is var (a, b)
        ? _g.Gemm(_target.Times(_g, input, a, isOutByIn: true), b, y, transB: true, alpha: -_scale)
        : y;

    private Value Dropped(Value x) =>
        _config.LoraDropout > 0 && _target.HasDropout ? _g.Dropout(x, _config.LoraDropout) : x;

    private LoraParts Parts(IEnumerable<AdapterParameter> more, IReadOnlyList<Value> detached) => new(
        [.. _target.Source is null ? Own() : [], .. more],
        _start is var (a, b) ? [new(a.Name, a), new(b.Name, b)] : [],
        detached);

    /// <summary>The aliases are loralib's names.</summary>
    private AdapterParameter[] Own() =>
    [
        new(_target.NameOfA, _a) { Aliases = [$"{_target.Name}.lora_A"], Role = _target.RoleOfA },
        new(_target.NameOfB, _b) { Aliases = [$"{_target.Name}.lora_B"], Role = _target.RoleOfB },
    ];
}
