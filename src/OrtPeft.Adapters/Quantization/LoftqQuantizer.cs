using OrtPeft.Adapters.Lora;
using OrtPeft.Adapters.Modules;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Passes;
using OrtPeft.Onnx.Quantization;
using OrtPeft.Tensors;

namespace OrtPeft.Adapters.Quantization;

/// <summary>
/// LoftQ: quantises a model's layers so that LoRA's first A and B hold a part of what is lost. The base Q and the
/// adapter approximate W together, Q + s·B·A ≈ W, so training starts closer to the float model than plain quantisation
/// lets it.
/// </summary>
/// <seealso href="https://arxiv.org/abs/2310.08659">Li et al., LoftQ, algorithm 1.</seealso>
public static class LoftqQuantizer
{
    /// <summary>Quantises a copy of a model and makes the adapter.</summary>
    /// <param name="model">The float model; not changed.</param>
    /// <param name="format">How the base is stored.</param>
    /// <param name="config">The adapter. Its targets are the layers that are quantised, every linear one but the head
    /// when left out; how A and B start is LoftQ's matter whatever it says.</param>
    /// <param name="iterations">How often quantising W − s·B·A and decomposing W − Q take turns, at least 1 (default,
    /// as in HF PEFT).</param>
    /// <returns>Base and adapter; the saved adapter's <c>init_lora_weights</c> is true, as of any other.</returns>
    /// <exception cref="ConfigException">No layer matches, a target is not a linear layer or an embedding's weight, the
    /// rank is more than a weight's, the adapter is DoRA, or the model chooses between graphs at run time.</exception>
    /// <exception cref="ArgumentException">The format has a value that there is not, or a weight is no
    /// number.</exception>
    /// <exception cref="UnsupportedOpException">The graph cannot be brought into canonical form.</exception>
    public static LoftqResult Quantize(Model model, BlockFormat format, LoraConfig config, int iterations = 1)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(config);
        if (iterations < 1)
            throw new SettingException($"The iterations of LoftQ are {iterations}; there must be at least 1.");
        if (config.UseDora)
            throw new ConfigException("use_dora is true, and LoftQ makes no start for magnitudes; leave one out.");
        var start = config with
        {
            TargetModules = config.TargetModules ?? ModuleTargets.AllLinear,
            InitLoraWeights = LoraInit.Loftq,
        };
        start.Validate();
        var copy = ModelQuantizer.CanonicalCopy(model, format);
        var targets = Targets(copy.Graph, start);
        var splits = targets.Select(t => new LoftqSplit(t, start)).ToList();
        var g = GraphBuilder.Over(copy);
        var layers = splits.Select(s => s.Run(g, format, iterations)).ToList();
        var adapter = PeftModel.Create(copy, start with { InitLoraWeights = LoraInit.Kaiming });
        var weights = new Dictionary<string, Tensor>(adapter.GetWeights());
        foreach (var split in splits)
            (weights[split.Target.NameOfA], weights[split.Target.NameOfB]) = (split.Factors!.A, split.Factors.B);
        adapter.SetWeights(weights, "LoftQ");
        DecoderNaming.Restore(copy);
        return new LoftqResult(new QuantizationResult(copy, layers), adapter);
    }

    private static List<LinearTarget> Targets(Graph graph, LoraConfig config)
    {
        var (_, targets) = LoraTargets.Resolve(graph, config, []);
        if (targets.FirstOrDefault(static t => t is not LinearTarget) is { } other)
            throw new ConfigException($"{other.Name} is an embedding and stays as it is; leave it out of the targets.");
        var linear = targets.Cast<LinearTarget>().ToList();
        ModelQuantizer.Check([.. linear.Select(static t => t.Module)], config.TargetModules!);
        return linear;
    }
}
