using OrtPeft.Adapters;
using OrtPeft.Adapters.LnTuning;
using OrtPeft.Artifacts;
using OrtPeft.Testing;
using OrtPeft.Training.Runtime;
using OrtPeft.Training.Tests.Runs;

namespace OrtPeft.Training.Tests.Optimizers;

/// <summary>What weight decay leaves out, as HF's Trainer does.</summary>
public sealed class WeightDecayGroupsTests
{
    [Theory]
    [InlineData("base_model.model.transformer.h.0.ln_1.weight", true)]
    [InlineData("base_model.model.transformer.h.0.ln_1.ln_tuning_layers.weight", true)]
    [InlineData("base_model.model.transformer.ln_f.weight", true)]
    [InlineData("base_model.model.model.norm.weight", true)]
    [InlineData("base_model.model.model.layers.0.input_layernorm.weight", true)]
    [InlineData("base_model.model.model.layers.0.self_attn.q_norm.weight", true)]
    [InlineData("base_model.model.model.layers.0.post_feedforward_layernorm.weight", true)]
    [InlineData("base_model.model.gpt_neox.final_layer_norm.weight", true)]
    [InlineData("base_model.model.transformer.blocks.0.norm_1.weight", true)]
    [InlineData("base_model.model.transformer.h.0.attn.c_attn.base_layer.bias", true)]
    [InlineData("base_model.model.transformer.h.0.attn.c_attn.lora_B.bias", true)]
    [InlineData("base_model.model.transformer.h.0.attn.c_attn.lora_A.weight", false)]
    [InlineData("base_model.model.transformer.h.0.attn.c_attn.lora_magnitude_vector", false)]
    [InlineData("base_model.model.model.layers.0.self_attn.q_proj.ia3_l", false)]
    [InlineData("base_model.model.model.embed_tokens.weight", false)]
    [InlineData("base_model.model.lm_head.weight", false)]
    [InlineData("prompt_embeddings", false)]
    public void IsExempt_OfBiasesAndNorms(string name, bool expected)
    {
        var model = new Onnx.Model(21);
        var parameter = new AdapterParameter(name, model.Graph.AddInitializer(name, Tensors.Tensor.Vector(1f)));

        Assert.Equal(
            (expected, false),
            (WeightDecayGroups.IsExempt(parameter, new TrainingArguments { DecayBiasesAndNorms = false }),
                WeightDecayGroups.IsExempt(parameter, new TrainingArguments())));
    }

    /// <summary>LayerNorm tuning trains what is exempt alone, so that the rate of decay says nothing.</summary>
    [Fact]
    public void Run_OfNormsWithoutDecay_GoesAsWithADecayOfNothing()
    {
        var arguments = Tiny.Arguments with { MaxSteps = 3, LearningRate = 0.01 };

        var exempt = Weights(arguments with { DecayBiasesAndNorms = false, Optimizer = new AdamWConfig { WeightDecay = 0.5 } });
        var without = Weights(arguments with { Optimizer = new AdamWConfig { WeightDecay = 0 } });
        var decayed = Weights(arguments with { Optimizer = new AdamWConfig { WeightDecay = 0.5 } });

        Near.Within(without, exempt, 1e-6, "weights");
        Assert.Contains(without.Zip(decayed), static p => Math.Abs(p.First - p.Second) > 1e-3);

        static float[] Weights(TrainingArguments arguments)
        {
            var peft = PeftModel.Create(Tiny.Base, new LnTuningConfig());
            Tiny.Run(peft, arguments);
            return [.. peft.GetWeights().Values.SelectMany(static t => t.ToFloat32())];
        }
    }
}
