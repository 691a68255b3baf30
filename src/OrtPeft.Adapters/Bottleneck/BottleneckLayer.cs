using OrtPeft.Adapters.Modules;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Tensors;

namespace OrtPeft.Adapters.Bottleneck;

/// <summary>The adapter after one layer: its parameters, and s·up(f(down(x))).</summary>
internal sealed class BottleneckLayer
{
    private readonly BottleneckConfig _config;
    private readonly AdapterParameter _down;
    private readonly AdapterParameter _downBias;
    private readonly AdapterParameter _up;
    private readonly AdapterParameter _upBias;
    private readonly AdapterParameter? _scaling;

    /// <summary>Makes fresh parameters as initializers.</summary>
    public BottleneckLayer(Graph graph, LinearModule module, BottleneckConfig config, long seed)
    {
        _config = config;
        var hidden = module.OutFeatures;
        var layer = module.Name.Split('.').FirstOrDefault(static s => s.Length > 0 && s.All(char.IsAsciiDigit));
        var inner = config.SizeOf(hidden, layer);
        var holder = $"{SublayerEnds.HolderOf(module)}.adapters.{config.Name}";
        var parent = module.Name.LastIndexOf('.') is >= 0 and var dot ? module.Name[..(dot + 1)] : "";
        var weights = BottleneckWeights.Named(config.InitWeights);
        _down = Add("adapter_down.0.weight", "down.weight", name => weights(seed, name, false, inner, hidden));
        _downBias = Add("adapter_down.0.bias", "down.bias", _ => InitialWeights.Zeros(inner));
        _up = Add("adapter_up.weight", "up.weight", name => weights(seed, name, true, hidden, inner));
        _upBias = Add("adapter_up.bias", "up.bias", _ => InitialWeights.Zeros(hidden));
        if (config.TrainedScaling is { } trained)
            _scaling = Add("scaling", "scaling", _ => InitialWeights.Filled(1, trained == "channel" ? hidden : 1));

        // Other names: a plain PyTorch module's in the block, and the library's for a model without its head.
        AdapterParameter Add(string name, string alias, Func<string, Tensor> content)
        {
            var full = $"{holder}.{name}";
            var value = graph.AddInitializer(graph.FreshName(full), content(full));
            var headless = full[(full.IndexOf('.', StringComparison.Ordinal) + 1)..];
            return new AdapterParameter(full, value) { Aliases = [$"{parent}adapter.{alias}", headless] };
        }
    }

    /// <summary>All parameters in the order of the adapters library's state dictionary.</summary>
    public IReadOnlyList<AdapterParameter> Parameters => _scaling is null
        ? [_down, _downBias, _up, _upBias]
        : [_scaling, _down, _downBias, _up, _upBias];

    /// <summary>h + s·up(f(down(x))), all of them rows [n, E].</summary>
    public Value AddTo(GraphBuilder g, Value h, Value x)
    {
        var f = NonLinearities.Named(_config.NonLinearity);
        var down = g.Term(g.Gemm(x, _down.Value, _downBias.Value, transB: true));
        var up = g.Term(g.Gemm(f(down), _up.Value, _upBias.Value, transB: true));
        if (_scaling is not null)
            up *= _scaling.Value;
        else if (_config.Scaling != 1)
            up *= _config.Scaling;
        return g.Term(h) + (_config.Dropout > 0 ? g.Dropout(up, _config.Dropout) : up);
    }
}
