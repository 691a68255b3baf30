using OrtPeft.Adapters.Configuration;
using OrtPeft.Adapters.Modules;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;

namespace OrtPeft.Adapters.Bottleneck;

/// <summary>
/// Bottleneck adapters where a block's sublayers end. HF PEFT has no such method: the file holds the tensors under the
/// adapters library's names.
/// </summary>
/// <seealso href="https://arxiv.org/abs/1902.00751">Houlsby et al., Parameter-Efficient Transfer Learning.</seealso>
internal sealed class BottleneckMethod : IPeftMethod
{
    /// <inheritdoc/>
    public MethodDescription Description { get; } = new()
    {
        Name = "bottleneck",
        PeftType = "BOTTLENECK",
        Title = "Bottleneck adapters",
        Paper = new("https://arxiv.org/abs/1902.00751"),
        Trains =
            "a small network after attention and MLP (Houlsby), the MLP alone (Pfeiffer), or beside it (parallel)",
        IsInHfPeft = false,
        Options =
        [
            SharedOptions.Dropout("dropout"),
            SharedOptions.Targets,
            new(
                "--preset",
                "preset",
                OptionForm.Text,
                "Bottleneck adapters: their placement, houlsby, pfeiffer, parallel or scaled_parallel. [default: houlsby]",
                "NAME"),
            new(
                "--reduction-factor",
                "reduction_factor",
                OptionForm.Number,
                "Bottleneck adapters: the bottleneck has hidden size / K features. [default: 16]",
                "K"),
            new(
                "--non-linearity",
                "non_linearity",
                OptionForm.Text,
                "Bottleneck adapters: the activation, relu, gelu, gelu_new, swish, tanh, … [default: swish]",
                "NAME"),
            SharedOptions.Layers,
        ],
        WhyNotMergeable = "the adapter is nonlinear",
    };

    /// <inheritdoc/>
    public PeftConfig ReadConfig(ConfigFields fields) => BottleneckConfig.FromFields(fields);

    /// <inheritdoc/>
    public Injection Inject(Model model, PeftConfig config, long seed)
    {
        ArgumentNullException.ThrowIfNull(model);
        var bottleneck = (BottleneckConfig)config;
        bottleneck.Validate();
        var builder = GraphBuilder.Over(model);
        var modules = ModuleCatalogue.LinearModules(model.Graph);
        var targets = bottleneck.TargetModules ?? SublayerEnds.For(modules, bottleneck);
        var (resolved, selected) = TargetResolution.Resolve(model.Graph, bottleneck with { TargetModules = targets });
        var kept = selected.Where(m => !TargetSelector.IsInLayers(m.Name, bottleneck.LeaveOut, null)).ToList();
        if (kept.Count == 0)
            throw new ConfigException(
                $"leave_out {string.Join(", ", bottleneck.LeaveOut)} leaves no layer for an adapter; name fewer.");
        if (kept.FirstOrDefault(static m => m.Adapter != PresentAdapter.None) is { } adapted)
        {
            throw new ConfigException(
                $"{adapted.Name}: the graph has an adapter beside this layer already, which a bottleneck after the layer alone "
                + "would pass by; export the model after merge_and_unload(), or leave the layer out.");
        }

        resolved = LibraryLayout.Completed(resolved, model, kept);
        return new Injection(resolved, [.. kept.SelectMany(m => InjectInto(m, bottleneck, builder, seed))]);
    }

    private static IReadOnlyList<AdapterParameter> InjectInto(
        LinearModule module, BottleneckConfig config, GraphBuilder g, long seed)
    {
        var layer = new BottleneckLayer(g.Graph, module, config, seed);
        var graft = new ModuleGraft(g, module, "/bottleneck");
        if (config.IsParallel)
        {
            var residual = ResidualSum.After(module).Residual;
            graft.ReplaceResult(h => layer.AddTo(g, h, graft.RowsOf(residual)));
        }
        else if (config.OriginalLnBefore)
        {
            // (h + f(h + r)) + r is the sum h + r with f of it added.
            graft.ReplaceSum(ResidualSum.After(module).Node, sum => layer.AddTo(g, sum, sum));
        }
        else
        {
            graft.ReplaceResult(h => layer.AddTo(g, h, h));
        }

        return layer.Parameters;
    }
}
