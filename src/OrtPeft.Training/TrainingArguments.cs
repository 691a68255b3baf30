using System.Collections.Frozen;
using OrtPeft.Adapters;
using OrtPeft.Artifacts;
using OrtPeft.Compilation.Rewrites;
using OrtPeft.Runtime.Sessions;
using OrtPeft.Training.Distributed;
using OrtPeft.Training.Metrics;
using OrtPeft.Training.Runtime;

namespace OrtPeft.Training;

/// <summary>How to train, in the terms of HF's TrainingArguments. Immutable: change it with <c>with</c>.</summary>
public sealed record TrainingArguments
{
    /// <summary>
    /// How often each row is seen; may be a fraction. Default 3. Not used when <see cref="MaxSteps"/> is given.
    /// </summary>
    public double Epochs { get; init; } = 3;

    /// <summary>The number of optimiser steps, or null (default) to count by <see cref="Epochs"/>.</summary>
    public int? MaxSteps { get; init; }

    /// <summary>Rows that go through the model at once, at least 1. Default 8.</summary>
    public int BatchSize { get; init; } = 8;

    /// <summary>
    /// Packs rows: a batch then takes <see cref="BatchSize"/> packs of as many rows as fit in so many tokens, 1 or more,
    /// instead of single rows. Rows of a pack still run apart, with others of like length, and never see each other, so
    /// that losses and gradients are those of the rows. Null (default) does not pack.
    /// </summary>
    public int? PackLength { get; init; }

    /// <summary>Batches whose gradients add up before a step, at least 1. Default 1. Exact by token count.</summary>
    public int GradientAccumulation { get; init; } = 1;

    /// <summary>The peak learning rate. Default 2e-4.</summary>
    public double LearningRate { get; init; } = 2e-4;

    /// <summary>
    /// LoRA+: what the learning rate of LoRA's B matrices, and of trained vectors such as biases and DoRA's
    /// magnitudes, is multiplied by. Above 0, default 1; the paper recommends 16. The parameters are grouped as in HF
    /// PEFT's <c>create_loraplus_optimizer</c>; weight decay is the optimiser's for all of them. Embeddings:
    /// <see cref="LoraPlusEmbeddingRate"/>.
    /// </summary>
    /// <seealso href="https://arxiv.org/abs/2402.12354">Hayou et al., LoRA+, section 4.</seealso>
    public double LoraPlusRatio { get; init; } = 1;

    /// <summary>
    /// The peak learning rate of LoRA's factors at embeddings, or null (default) for the same as A and B elsewhere; HF
    /// PEFT's LoRA+ has 1e-6.
    /// </summary>
    public double? LoraPlusEmbeddingRate { get; init; }

    /// <summary>
    /// Whether weight decay takes biases and the vectors of norms along, as PyTorch's optimisers do. Default true; HF's
    /// Trainer leaves them out.
    /// </summary>
    public bool DecayBiasesAndNorms { get; init; } = true;

    /// <summary>
    /// How the rate falls after the warm-up, by transformers' names: <c>constant</c>, <c>linear</c> (default),
    /// <c>cosine</c>, <c>cosine_with_min_lr</c>, <c>cosine_with_restarts</c>, <c>inverse_sqrt</c>, <c>polynomial</c> or
    /// <c>warmup_stable_decay</c>.
    /// </summary>
    public string Schedule { get; init; } = "linear";

    /// <summary>
    /// The schedule's own settings, by transformers' names, such as <c>num_cycles</c>, <c>min_lr_rate</c>, <c>power</c>,
    /// <c>lr_end</c>, <c>timescale</c>, <c>num_decay_steps</c>, <c>decay_type</c>, <c>min_lr_ratio</c>; none (default) for
    /// transformers' defaults.
    /// </summary>
    /// <seealso href="https://huggingface.co/docs/transformers/main_classes/optimizer_schedules"/>
    public IReadOnlyDictionary<string, string> ScheduleSettings { get; init; } = FrozenDictionary<string, string>.Empty;

    /// <summary>Steps over which the rate rises from 0. Default 0.</summary>
    public int WarmupSteps { get; init; }

    /// <summary>The optimiser and its constants: AdamW (default), Lion or SGD.</summary>
    public OptimizerConfig Optimizer { get; init; } = new AdamWConfig();

    /// <summary>Fixes the order of rows and the dropout masks. Default 0.</summary>
    public long Seed { get; init; }

    /// <summary>
    /// Whether each epoch has its own order. Default true; off, rows are taken in order, over and over.
    /// </summary>
    public bool Shuffle { get; init; } = true;

    /// <summary>
    /// Whether dropout in the base's own graph is live while training. Only graphs that were exported in training mode
    /// have it. Default true: who exports dropout wants it, and HF's trainers have it live too. Evaluation never has
    /// it; an adapter's own dropout is its configuration's.
    /// </summary>
    public bool BaseDropout { get; init; } = true;

    /// <summary>NEFTune's α: even noise of up to α/√(sequence · width) on the embeddings of tokens while training; 5 is
    /// usual. Above 0; default null, none. Not with artifacts.</summary>
    /// <seealso href="https://arxiv.org/abs/2310.05914">Jain et al., algorithm 1.</seealso>
    public double? NeftuneNoiseAlpha { get; init; }

    /// <summary>
    /// Evaluate after every so many steps; null (default) after every epoch. Only with evaluation data.
    /// </summary>
    public int? EvaluationSteps { get; init; }

    /// <summary>Whether the model is also evaluated before the first step, as what later ones are compared with. Default
    /// true. Only with evaluation data.</summary>
    public bool EvaluateFirst { get; init; } = true;

    /// <summary>
    /// Ends the run after so many evaluations, 1 or more, that are not better than the best one by more than <see
    /// cref="MinDelta"/>. Null (default) never does. Only with evaluation data.
    /// </summary>
    public int? Patience { get; init; }

    /// <summary>By how much an evaluation's <see cref="BestMetric"/> has to be better to count for <see cref="Patience"/>,
    /// in its own unit, 0 or more. Default 0.</summary>
    public double MinDelta { get; init; }

    /// <summary>
    /// The measure by which one evaluation is better, for <see cref="Patience"/> and <see cref="KeepBest"/>: a name in
    /// <see cref="EvaluationMetric.All"/>, <c>loss</c> by default. Metrics of answers are measured by <see
    /// cref="Trainer.Examiner"/>.
    /// </summary>
    public string BestMetric { get; init; } = EvaluationMetric.All[0].Name;

    /// <summary>Whether evaluations measure the share of tokens that the model finds most likely, in a second pass over the
    /// evaluation data. Default false. Not for folders of artifacts.</summary>
    public bool MeasureTokenAccuracy { get; init; }

    /// <summary>
    /// Whether the run ends with the weights of the best evaluation, rather than the last. Default true;
    /// without evaluation data, the last. They are kept in memory and in checkpoints.
    /// </summary>
    public bool KeepBest { get; init; } = true;

    /// <summary>
    /// Write a checkpoint after every so many steps; null (default) after every epoch. Only with a folder.
    /// </summary>
    public int? CheckpointSteps { get; init; }

    /// <summary>Receives metrics and checkpoints; null (default) to write none.</summary>
    public string? OutputFolder { get; init; }

    /// <summary>Whether to go on from the checkpoint in <see cref="OutputFolder"/>. Default false. All that makes the run
    /// what it is must be as it was, but the run may be longer: its rate then follows the longer run's schedule from there
    /// on.</summary>
    public bool Resume { get; init; }

    /// <summary>
    /// The most tokens, padding included, that run through the model at once, and as many more without a label, such
    /// as prompts: those never meet the vocabulary, which takes most memory. A batch with more is run in parts, rows
    /// of like length together, whose gradients add up to the batch's. The step is the same to rounding, takes less
    /// memory, and spends less on padding. At least one row is run. Default 256; 0 runs every batch whole. ONNX
    /// Runtime's training session always does.
    /// </summary>
    public int MicroBatchTokens { get; init; } = 256;

    /// <summary>
    /// The most memory that training may take, as an estimate before it begins. Where it would take more, parts of the
    /// forward pass run a second time for the gradient rather than being kept, as few as suffice; results stay the same.
    /// Bytes; null (default) for no limit. Folders of artifacts, and providers other than the CPU's, keep all.
    /// </summary>
    public long? MemoryLimit { get; init; }

    /// <summary>
    /// Rewrites of the training graph that are left out, by their names in <see cref="Speedups"/>. None by default.
    /// Folders of artifacts were rewritten when they were written.
    /// </summary>
    public IReadOnlyList<string> WithoutSpeedups { get; init; } = [];

    /// <summary>
    /// The type in which frozen matrices and the rows that meet them are multiplied, forwards and backwards:
    /// <c>float32</c> (default); <c>bf16</c>, with float32 sums, faster and in less memory where the processor has
    /// AVX512_BF16, and float32 on other processors, or on CUDA; <c>fp16</c>, for CUDA, DirectML and WebGPU, which scales the
    /// loss as PyTorch's <c>GradScaler</c> does and which the CPU rounds to; or <c>auto</c>, bf16 on processors that have it.
    /// Adapters, norms, attention, softmax, the loss and the optimiser stay float32, and so do folders of artifacts. Evaluation
    /// does on the CPU in bf16.
    /// </summary>
    public string Precision { get; init; } = ProductPrecision.Float32;

    /// <summary>How ONNX Runtime runs the graphs. Memory patterns are off by default.</summary>
    public RuntimeOptions Runtime { get; init; } = new() { MemoryPatterns = false };

    /// <summary>
    /// The processes that train together, each a batch of <see cref="BatchSize"/> rows at a time: N of them make the steps of
    /// one whose batches have N times as many. The first writes to <see cref="OutputFolder"/>. Where one fails, it must
    /// <see cref="ProcessGroup.Abort"/>, since the others wait for it. Default <see cref="ProcessGroup.Alone"/>.
    /// </summary>
    public ProcessGroup Processes { get; init; } = ProcessGroup.Alone;

    /// <summary>The factor on a parameter's learning rate: the method's own factor, and LoRA+'s.</summary>
    /// <param name="parameter">The parameter.</param>
    /// <returns>The factor; 1 for most.</returns>
    public double LearningRateFactorOf(AdapterParameter parameter) => LearningRateFactors.Of(parameter, this);

    /// <summary>Whether weight decay leaves a parameter as it is, by <see cref="DecayBiasesAndNorms"/>.</summary>
    /// <param name="parameter">The parameter.</param>
    /// <returns>True for biases and norms where these do not decay.</returns>
    public bool IsExemptFromDecay(AdapterParameter parameter) => WeightDecayGroups.IsExempt(parameter, this);

    /// <summary>Checks that every number is in its range.</summary>
    /// <exception cref="ArgumentException">One is not; the message says which, and what it must be.</exception>
    public void Validate() => ArgumentsCheck.Validate(this);
}
