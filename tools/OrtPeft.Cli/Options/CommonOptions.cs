using System.CommandLine;
using OrtPeft.Inference.Sessions;

namespace OrtPeft.Cli.Options;

/// <summary>What every verb takes.</summary>
internal sealed class CommonOptions : IOptionGroup
{
    private static readonly RuntimeOptions Defaults = new();

    private readonly Option<int> _threads = NumberOption.Of(
        "--threads", "Threads that share one operator's work; 0 takes all cores.", "N", Defaults.Threads);

    private readonly Option<string> _provider = new("--provider")
    {
        Description = "Where operators run.",
        HelpName = "cpu|cuda",
        DefaultValueFactory = static _ => Defaults.Provider,
    };

    public CommonOptions()
    {
        Require(_threads, static threads => threads >= 0, "0 or more");
        Require(_provider, static provider => provider is "cpu" or "cuda", "cpu or cuda");
    }

    private readonly Option<bool> _verbose = new("--verbose") { Description = "With an error, show where it came from." };

    /// <summary>Whether one JSON document is to be the only output.</summary>
    public Option<bool> Json { get; } = new("--json") { Description = "Print one JSON document and nothing else." };

    public IEnumerable<Option> Options => [_threads, _provider, Json, _verbose];

    public RuntimeOptions ToRuntime(ParseResult parsed) => new()
    {
        Threads = parsed.GetValue(_threads),
        Provider = parsed.GetValue(_provider)!,
    };

    private static void Require<T>(Option<T> option, Func<T, bool> holds, string allowed) => option.Validators.Add(result =>
    {
        if (!result.Errors.Any() && result.GetValueOrDefault<T>() is { } value && !holds(value))
            result.AddError($"{option.Name} is '{value}'; it must be {allowed}.");
    });
}
