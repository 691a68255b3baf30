using System.CommandLine;
using OrtPeft.Training.Data;
using OrtPeft.Training.Data.Chat;

namespace OrtPeft.Cli.Options;

/// <summary>Options for the part of a row that is learned, and for rows that are too long.</summary>
internal sealed class ChatOptions : IOptionGroup
{
    private static readonly Dictionary<string, TrainOn> Parts = new(StringComparer.Ordinal)
    {
        ["assistant"] = TrainOn.Assistant,
        ["last"] = TrainOn.Last,
        ["all"] = TrainOn.All,
    };

    private static readonly Dictionary<string, OverlongRows> Ways = new(StringComparer.Ordinal)
    {
        ["cut"] = OverlongRows.Cut,
        ["cut-start"] = OverlongRows.CutStart,
        ["drop"] = OverlongRows.Drop,
        ["split"] = OverlongRows.Split,
        ["error"] = OverlongRows.Error,
    };

    private readonly Option<string?> _trainOn = new("--train-on")
    {
        Description = "What to learn: the assistant's turns, only the last of them, or every token. "
            + "[default: assistant; with prompt and completion, the completion]",
        HelpName = string.Join('|', Parts.Keys),
    };

    private readonly Option<string> _overlong = new("--overlong")
    {
        Description = "What to do with rows longer than --seq-len (or, without it, than the model's context).",
        HelpName = string.Join('|', Ways.Keys),
        DefaultValueFactory = static _ => "cut",
    };

    public ChatOptions()
    {
        Check(_trainOn, Parts.Keys);
        Check(_overlong, Ways.Keys);
    }

    public IEnumerable<Option> Options => [_trainOn, _overlong];

    public TrainOn? Learned(Invocation run) => run.Get(_trainOn) is { } part ? Parts[part] : null;

    public OverlongRows Overlong(Invocation run) => Ways[run.Get(_overlong)];

    /// <summary>The tokens that rows may have: as given, else the model's where it was said what becomes of the
    /// rest.</summary>
    public int? Longest(Invocation run, int? given, int? context) =>
        given ?? (run.Has(_overlong) ? context : null);

    private static void Check(Option option, IEnumerable<string> words) => option.Validators.Add(result =>
    {
        if (result.Tokens is [.., { Value: var value }] && !words.Contains(value))
            result.AddError($"{option.Name} is '{value}'; it must be one of {string.Join(", ", words)}.");
    });
}
