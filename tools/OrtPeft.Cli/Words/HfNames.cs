using System.CommandLine;

namespace OrtPeft.Cli.Words;

/// <summary>The names of options in HF's trainers and PEFT, accepted in place of their own.</summary>
internal static class HfNames
{
    private static readonly (string Name, string[] Others)[] Table =
    [
        ("--data", ["--train-file"]),
        ("--eval-data", ["--validation-file"]),
        ("--out", ["--output-dir"]),
        ("--overwrite", ["--overwrite-output-dir"]),
        ("--batch-size", ["--per-device-train-batch-size", "--train-batch-size"]),
        ("--seq-len", ["--max-seq-length", "--max-length"]),
        ("--rank", ["--lora-r", "--lora-rank"]),
        ("--alpha", ["--lora-alpha"]),
        ("--dropout", ["--lora-dropout"]),
        ("--target", ["--target-modules", "--lora-target-modules"]),
        ("--rslora", ["--use-rslora"]),
        ("--dora", ["--use-dora"]),
        ("--init", ["--init-lora-weights"]),
        ("--layers", ["--layers-to-transform"]),
        ("--epochs", ["--num-epochs", "--num-train-epochs"]),
        ("--steps", ["--max-steps"]),
        ("--lr", ["--learning-rate"]),
        ("--schedule", ["--lr-scheduler-type"]),
        ("--schedule-settings", ["--lr-scheduler-kwargs"]),
        ("--grad-accum", ["--gradient-accumulation-steps"]),
        ("--patience", ["--early-stopping-patience"]),
        ("--min-delta", ["--early-stopping-threshold"]),
        ("--checkpoint-steps", ["--save-steps"]),
        ("--beta1", ["--adam-beta1"]),
        ("--beta2", ["--adam-beta2"]),
        ("--epsilon", ["--adam-epsilon"]),
    ];

    /// <summary>The other names of an option.</summary>
    public static IReadOnlyList<string> Of(string name) =>
        Table.FirstOrDefault(row => row.Name == name).Others ?? [];

    /// <summary>Adds the names to a command's options, with underscores too, as HF's scripts take them.</summary>
    public static void AddTo(Command command)
    {
        foreach (var option in command.Options)
        {
            foreach (var name in Of(option.Name))
            {
                option.Aliases.Add(name);
                if (Underscored(name) is var other && other != name)
                    option.Aliases.Add(other);
            }
        }
    }

    /// <summary>An option's name from a key in either spelling.</summary>
    public static string Dashed(string key) => "--" + key.Replace('_', '-');

    /// <summary>The name as HF's scripts write it.</summary>
    public static string Underscored(string name) => "--" + name[2..].Replace('-', '_');
}
