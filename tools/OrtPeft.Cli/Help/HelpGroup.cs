namespace OrtPeft.Cli.Help;

/// <summary>Options that stand together on a help page.</summary>
/// <param name="Title">What they are about.</param>
/// <param name="Essential">The names of those that every help page shows, in its order.</param>
/// <param name="Rare">The names of those that <c>--help-all</c> adds.</param>
internal sealed record HelpGroup(string Title, string[] Essential, string[] Rare)
{
    /// <summary>All groups, in the order of the page. Options in none of them come first, under "Options".</summary>
    public static IReadOnlyList<HelpGroup> All { get; } =
    [
        new(
            "Data",
            ["--data", "--eval-data", "--val-split", "--batch-size", "--seq-len"],
            ["--tokenizer", "--train-on", "--overlong", "--packing", "--map"]),
        new(
            "Output",
            ["--out", "--overwrite", "--resume", "--config", "--as", "--requantize", "--keep-float", "--beside", "--name", "--outtype", "--no-verify"],
            ["--base-id", "--tensorboard", "--init-config", "--config-schema"]),
        new(
            "Adapter",
            ["--adapter", "--together", "--method", "--rank", "--alpha", "--dropout", "--target", "--init-adapter"],
            [
                "--peft-config", "--set", "--init", "--rslora", "--dora", "--bias", "--layers", "--rank-pattern",
                "--alpha-pattern", "--preset", "--reduction-factor", "--non-linearity", "--num-virtual-tokens",
                "--prompt-init-text",
            ]),
        new(
            "Training",
            ["--epochs", "--steps", "--lr", "--schedule", "--warmup-steps", "--grad-accum"],
            [
                "--schedule-settings", "--optim", "--momentum", "--nesterov", "--muon-original-rate", "--checkpoint-steps", "--weight-decay", "--max-grad-norm", "--beta1", "--beta2",
                "--epsilon", "--loraplus-lr-ratio", "--loraplus-lr-embedding", "--no-bias-decay", "--no-shuffle", "--no-base-dropout", "--neftune-noise-alpha",
            ]),
        new(
            "Evaluation",
            ["--eval-steps", "--patience", "--metrics", "--samples", "--compare", "--generate", "--answers"],
            [
                "--token-accuracy", "--metric", "--metric-rows", "--sample-prompt", "--min-delta", "--keep", "--keep-top", "--no-base-eval",
            ]),
        new(
            "Sampling",
            ["--max-new-tokens", "--temperature", "--top-k", "--top-p"],
            ["--min-p", "--typical-p", "--repetition-penalty", "--presence-penalty", "--frequency-penalty"]),
        new(
            "Server",
            ["--host", "--port", "--api-key-file", "--max-tokens", "--max-batch"],
            ["--model-name", "--api-key", "--allow-adapter-loading", "--queue", "--timeout", "--max-body"]),
        new(
            "Speed and memory",
            ["--memory-limit", "--precision"],
            ["--cache-memory", "--micro-batch-tokens", "--no-prepacking", "--without", "--threads", "--provider"]),
        new("Model", [], ["--name-map", "--io-map"]),
        new("General", ["--seed", "--json", "--help", "--help-all", "--version"], ["--verbose"]),
    ];
}
