using System.CommandLine;
using OrtPeft.Runtime.Sessions;

namespace OrtPeft.Cli.Options;

/// <summary>The options that every verb takes.</summary>
internal sealed class CommonOptions : IOptionGroup
{
    private static readonly RuntimeOptions Defaults = new();

    private readonly Option<int> _threads = NumberOption.Of(
        "--threads", "Threads per operator; 0 uses all cores.", "N", Defaults.Threads, least: 0);

    private readonly Option<string> _provider = new("--provider")
    {
        Description = "The execution provider; ortpeft devices tells which this machine has.",
        HelpName = string.Join('|', Providers),
        DefaultValueFactory = static _ => Defaults.Provider,
    };

    private static IEnumerable<string> Providers => ExecutionProvider.All.Select(static p => p.Name);

    private readonly Option<bool> _verbose = new("--verbose")
    {
        Description = "Show the stack trace of an error.",
    };

    public CommonOptions() => _provider.Validators.Add(static result =>
    {
        if (result.Tokens is [.., { Value: var value }] && !Providers.Contains(value))
            result.AddError($"--provider is '{value}'; it must be one of {string.Join(", ", Providers)}.");
    });

    /// <summary>Whether one JSON document is to be the only output.</summary>
    public Option<bool> Json { get; } = new("--json")
    {
        Description = "Print a single JSON document and nothing else.",
    };

    public IEnumerable<Option> Options => [_threads, _provider, Json, _verbose];

    public RuntimeOptions ToRuntime(ParseResult parsed) => new()
    {
        Threads = parsed.GetValue(_threads),
        Provider = parsed.GetValue(_provider)!,
    };

    /// <summary>Refuses a provider that cannot run here, before the work begins.</summary>
    public void Check(ParseResult parsed)
    {
        if (parsed.GetResult(_provider) is { Implicit: false })
            ToRuntime(parsed).Validate();
    }
}
