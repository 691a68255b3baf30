using OrtPeft.Adapters.Configuration;
using OrtPeft.Adapters.Modules;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Quantization;
using OrtPeft.Tensors;

namespace OrtPeft.Adapters.Ia3;

/// <summary>IA³: inner activations scaled by learned vectors.</summary>
/// <seealso href="https://arxiv.org/abs/2205.05638">Liu et al., Few-Shot Parameter-Efficient Fine-Tuning.</seealso>
internal sealed class Ia3Method : IPeftMethod
{
    private static readonly ModuleTargets DefaultFeedforward =
        ModuleTargets.Listed(DefaultTargets.OfIa3.Select(static names => names[^1]));

    /// <inheritdoc/>
    public MethodDescription Description { get; } = new()
    {
        Name = "ia3",
        PeftType = "IA3",
        Title = "IA³",
        Paper = new("https://arxiv.org/abs/2205.05638"),
        Trains = "one vector per chosen layer, which scales what the layer makes or reads",
        Options = [SharedOptions.Targets, SharedOptions.Layers],
    };

    /// <inheritdoc/>
    public PeftConfig ReadConfig(ConfigFields fields) => Ia3Config.FromFields(fields);

    /// <inheritdoc/>
    public Injection Inject(Model model, PeftConfig config, long seed)
    {
        ArgumentNullException.ThrowIfNull(model);
        var ia3 = (Ia3Config)config;
        var builder = GraphBuilder.Over(model);
        var (resolved, selected) = TargetResolution.Resolve(model.Graph, ia3, DefaultTargets.Ia3Of(model.Graph));
        var parameters = selected.Select(module => InjectInto(module, ia3, builder, seed)).ToList();
        return new Injection(WithFeedforward(ia3, resolved, selected), parameters)
        {
            Merge = (copy, weights) =>
            {
                foreach (var module in Counterparts.Of(selected, copy))
                    Fold(copy, module, weights[NameOf(module)].ToFloat32(), IsFeedforward(module, ia3));
            },
        };
    }

    /// <summary>
    /// HF PEFT wants the feed-forward modules to be some of the targets, name by name, where both are lists: where they
    /// are not, both are written with whole names.
    /// </summary>
    private static Ia3Config WithFeedforward(Ia3Config asked, Ia3Config resolved, IReadOnlyList<LinearModule> selected)
    {
        var feedforward = asked.FeedforwardModules ?? ModuleTargets.Listed(
            DefaultFeedforward.Where(name => selected.Any(m => TargetSelector.Matches(m, [name]))));
        var targets = resolved.TargetModules!;
        if (targets.Pattern is not null || feedforward.Pattern is not null || feedforward.All(targets.Contains))
            return resolved with { FeedforwardModules = feedforward };
        return resolved with
        {
            TargetModules = ModuleTargets.Listed(selected.Select(static m => m.Name)),
            ExcludeModules = null,
            FeedforwardModules = ModuleTargets.Listed(
                selected.Where(m => IsFeedforward(m, asked)).Select(static m => m.Name)),
        };
    }

    private static AdapterParameter InjectInto(LinearModule module, Ia3Config config, GraphBuilder g, long seed)
    {
        var isFeedforward = IsFeedforward(module, config);
        var features = isFeedforward ? module.InFeatures : module.OutFeatures;
        var name = NameOf(module);
        long[] dims = isFeedforward ? [1, features] : [features, 1];
        var content = config.InitIa3Weights
            ? InitialWeights.Filled(1, dims)
            : InitialWeights.Normal(seed, name, 1, dims);
        var l = g.Graph.AddInitializer(g.Graph.FreshName(name), content);
        var graft = new ModuleGraft(g, module, "/ia3");
        if (isFeedforward)
            graft.ReplaceInput(x => g.Mul(x, g.Reshape(l, features)));
        else
            graft.ReplaceResult(y => g.Mul(y, g.Reshape(l, features)));
        return new AdapterParameter(name, l);
    }

    /// <summary>l scales the weight's input axis in feed-forward layers; else its output axis, and the bias.</summary>
    private static void Fold(Graph graph, LinearModule module, float[] l, bool isFeedforward)
    {
        var weight = ModuleWeights.Read(module);
        var dims = ConstantWeight.DimsOf(module.Weight)!.Value;
        var columns = (int)dims[1];
        var scalesRows = isFeedforward != module.IsOutByIn;
        for (var i = 0; i < weight.Length; i++)
            weight[i] *= scalesRows ? l[i / columns] : l[i % columns];
        ModuleWeights.Replace(graph, module, Tensor.Of<float>(weight, dims.AsSpan()));
        if (isFeedforward || module.Bias is not { } bias)
            return;
        var scaled = bias.Initializer!.ToFloat32().Zip(l, static (b, factor) => b * factor).ToArray();
        graph.SetInitializer(bias, Tensor.Vector<float>(scaled));
    }

    private static bool IsFeedforward(LinearModule module, Ia3Config config) =>
        TargetSelector.Matches(module, config.FeedforwardModules ?? DefaultFeedforward);

    private static string NameOf(LinearModule module) => HfName.Of(module.Name, "ia3_l");
}
