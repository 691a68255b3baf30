namespace OrtPeft.Artifacts;

/// <summary>
/// The purposes of a model's inputs and outputs. A program finds what it needs by role; names are the model's own.
/// </summary>
internal static class ValueRoles
{
    /// <summary>Input: comes with every batch, such as <c>input_ids</c> and <c>labels</c>.</summary>
    public const string Data = "data";

    /// <summary>
    /// Input: keys or values of a past, which training has not: fed with 0 elements, its named axes being the batch.
    /// </summary>
    public const string EmptyPast = "empty_past";

    /// <summary>Input: a parameter that trains.</summary>
    public const string Parameter = "parameter";

    /// <summary>Input: a weight that does not train, where the checkpoint holds it.</summary>
    public const string Frozen = "frozen_parameter";

    /// <summary>
    /// Input, <c>[] float32</c>: multiplies every gradient; one over the step's supervised elements gives the gradient
    /// of the mean loss, over all micro-batches together.
    /// </summary>
    public const string LossScale = "loss_scale";

    /// <summary>Input, <c>[] int64</c>: fixes the dropout masks; another number for every batch.</summary>
    public const string DropoutSeed = "dropout_seed";

    /// <summary>Input of ONNX Runtime's training models: where a parameter's gradients add up.</summary>
    public const string GradientBuffer = "gradient_buffer";

    /// <summary>Input of ONNX Runtime's training models, <c>[1] bool</c>: whether gradients start anew.</summary>
    public const string LazyResetGrad = "lazy_reset_grad";

    /// <summary>Output, <c>[] float32</c>: the sum of the losses of all supervised elements.</summary>
    public const string LossSum = "loss_sum";

    /// <summary>Output, <c>[] int64</c>: the number of supervised elements.</summary>
    public const string LossCount = "loss_count";

    /// <summary>Output, <c>[] float32</c>: the mean loss of the supervised elements.</summary>
    public const string LossMean = "loss_mean";

    /// <summary>
    /// Output of an evaluation model that was asked for it: what the model itself gives, such as <c>logits</c> [batch,
    /// virtual + sequence, vocabulary], to generate with the weights as they are.
    /// </summary>
    public const string Predictions = "predictions";

    /// <summary>Output: a parameter's gradient, of its shape.</summary>
    public const string Gradient = "gradient";

    /// <summary>Output of ONNX Runtime's training models: that a gradient was added; not read.</summary>
    public const string Accumulated = "accumulated";

    /// <summary>Input and, as <see cref="Updated"/>, output of the optimiser: the parameters.</summary>
    public const string Parameters = "parameters";

    /// <summary>Input of the optimiser: the gradients, laid out as the parameters.</summary>
    public const string Gradients = "gradients";

    /// <summary>Input and, as <see cref="Updated"/>, output of the optimiser: m, zeros at first.</summary>
    public const string FirstMoments = "first_moments";

    /// <summary>Input and, as <see cref="Updated"/>, output of the optimiser: v, zeros at first.</summary>
    public const string SecondMoments = "second_moments";

    /// <summary>Input and, as <see cref="Updated"/>, output of SGD: the sum of gradients that it follows, zeros at
    /// first.</summary>
    public const string Momentum = "momentum";

    /// <summary>Input and, as <see cref="Updated"/>, output of Adafactor: the mean squares of the matrices' rows,
    /// zeros at first.</summary>
    public const string RowMoments = "row_moments";

    /// <summary>Input and, as <see cref="Updated"/>, output of Adafactor: the mean squares of the matrices' columns,
    /// zeros at first.</summary>
    public const string ColumnMoments = "column_moments";

    /// <summary>Input and, as <see cref="Updated"/>, output of AdamW with 8 bits: each block's largest m, zeros at
    /// first.</summary>
    public const string FirstScales = "first_scales";

    /// <summary>Input and, as <see cref="Updated"/>, output of AdamW with 8 bits: each block's largest v, zeros at
    /// first.</summary>
    public const string SecondScales = "second_scales";

    /// <summary>Input and, as <see cref="Updated"/>, output of schedule-free AdamW: z, the parameters at first.</summary>
    public const string Iterates = "iterates";

    /// <summary>Input and, as <see cref="Updated"/>, output of schedule-free AdamW: x, the parameters at first; what is
    /// evaluated and saved.</summary>
    public const string Averages = "averages";

    /// <summary>Input and, as <see cref="Updated"/>, output of schedule-free AdamW, <c>[2] float32</c>: the sum of the
    /// averages' weights, and the highest rate.</summary>
    public const string Weights = "weights";

    /// <summary>Input of a training graph, and input and, as <see cref="Updated"/>, output of the optimiser where losses are
    /// scaled, <c>[] float32</c>: what gradients are multiplied by beside <see cref="LossScale"/>.</summary>
    public const string GradientScale = "gradient_scale";

    /// <summary>Input and, as <see cref="Updated"/>, output of the optimiser where losses are scaled, <c>[] float32</c>: steps
    /// since the scale last changed.</summary>
    public const string GrowthTracker = "growth_tracker";

    /// <summary>Input and, as <see cref="Updated"/>, output of the optimiser where losses are scaled, <c>[] float32</c>: the
    /// steps that were left out because their gradients were not finite.</summary>
    public const string SkippedSteps = "skipped_steps";

    /// <summary>Input of the optimiser, one float32: this step's rate.</summary>
    public const string LearningRate = "learning_rate";

    /// <summary>
    /// Input of the optimiser where parameters have rates of their own: every element's factor, laid out as the
    /// parameters.
    /// </summary>
    public const string LearningRateFactors = "learning_rate_factors";

    /// <summary>Input of the optimiser, one int64: this step's number, from 1.</summary>
    public const string Step = "step";

    /// <summary>Output of the optimiser, <c>[] float32</c>: the gradients' norm before clipping.</summary>
    public const string GradNorm = "grad_norm";

    /// <summary>Output of ONNX Runtime's optimiser model: that the parameters moved.</summary>
    public const string UpdateDone = "update_done";

    /// <summary>Output of the model that makes what is saved: a tensor of the adapter's file, by its name.</summary>
    public const string Saved = "saved";

    /// <summary>Whether a state of the optimiser is the parameters at first, and not zeros.</summary>
    public static bool IsParametersAtFirst(string role) => role is Iterates or Averages;

    /// <summary>The role of the output that replaces an input of the optimiser.</summary>
    /// <param name="input">The input's role.</param>
    /// <returns>The output's role.</returns>
    public static string Updated(string input) => $"updated_{input}";
}
