using System.CommandLine;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using OrtPeft.Cli.Errors;
using OrtPeft.Cli.Options;
using OrtPeft.Runtime.Sessions;

namespace OrtPeft.Cli;

/// <summary>One run of a verb: what was given, and where results go.</summary>
internal sealed class Invocation(Host host, ParseResult parsed, CommonOptions common)
{
    private static readonly JsonSerializerOptions Indented = new()
    {
        WriteIndented = true,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    private static readonly JsonSerializerOptions Line = new(Indented) { WriteIndented = false };

    private bool _isForLines;

    public Host Host => host;

    /// <summary>The same run without a voice.</summary>
    public Invocation Muted() => new(host.Muted(), parsed, common);

    /// <summary>Whether standard output is for JSON alone: one document, or one in each line.</summary>
    public bool IsJson => _isForLines || parsed.GetValue(common.Json);

    /// <summary>The words of the command line, the verb first.</summary>
    public IEnumerable<string> Words => parsed.Tokens.Select(static t => t.Value);

    /// <summary>The command line as parsed, for what speaks of all options.</summary>
    public ParseResult Parsed => parsed;

    public RuntimeOptions Runtime => common.ToRuntime(parsed);

    public T Get<T>(Option<T> option) => parsed.GetValue(option)!;

    public T Get<T>(Argument<T> argument) => parsed.GetValue(argument)!;

    /// <summary>Whether an option stands on the command line, as opposed to having its default.</summary>
    public bool Has(Option option) => parsed.GetResult(option) is { Implicit: false };

    /// <summary>Writes a piece of text that more follows; with <c>--json</c> nothing.</summary>
    public void Write(string text)
    {
        if (IsJson)
            return;
        host.Output.Write(text);
        host.Output.Flush();
    }

    /// <summary>Writes a line for people; with <c>--json</c> nothing.</summary>
    public void Say(string line)
    {
        if (!IsJson)
            host.Output.WriteLine(line);
    }

    /// <summary>Says something that was left out but should be known.</summary>
    public void Note(string line) => Say($"Note: {line}");

    /// <summary>Does work that may take long and says nothing; on a terminal something moves meanwhile.</summary>
    /// <param name="what">What it is.</param>
    /// <param name="work">The work; it writes nothing.</param>
    public T Busy<T>(string what, Func<T> work) => host.Terminal is { } terminal && !IsJson
        ? Spectre.Console.AnsiConsoleExtensions.Status(terminal).Start(what, _ => work())
        : work();

    /// <summary>Says something now, whatever is under way, from any thread; on the error stream where standard output is
    /// for JSON.</summary>
    public void Alert(string line)
    {
        if (host.Terminal is { } terminal && !IsJson)
            Spectre.Console.AnsiConsoleExtensions.WriteLine(terminal, line);
        else
            (IsJson ? host.Error : host.Output).WriteLine(line);
    }

    /// <summary>Warns in a line on the error stream, with <c>--json</c> too.</summary>
    public void Warn(string line) => host.Error.WriteLine($"ortpeft: warning: {FlagNames.In(line)}");

    /// <summary>Keeps standard output for lines of JSON.</summary>
    public void AnswerInLines() => _isForLines = true;

    /// <summary>Writes a line of JSON.</summary>
    public void AnswerLine(JsonObject document)
    {
        host.Output.WriteLine(document.ToJsonString(Line));
        host.Output.Flush();
    }

    /// <summary>Writes the JSON document where one is wanted.</summary>
    public void Answer(JsonObject document)
    {
        if (IsJson)
            host.Output.WriteLine(document.ToJsonString(Indented));
    }
}
