using System.CommandLine;
using System.Globalization;
using System.Text;
using OrtPeft.Cli.Data;
using OrtPeft.Cli.Errors;
using OrtPeft.Cli.Options;
using OrtPeft.Cli.Reporting;
using OrtPeft.Models;
using OrtPeft.Tensors.Storage;
using OrtPeft.Tokenizers;
using OrtPeft.Tokenizers.Chat;
using OrtPeft.Training.Data;
using OrtPeft.Training.Data.Chat;

namespace OrtPeft.Cli.Commands;

/// <summary>Shows rows as a model would see them.</summary>
internal sealed class DataCommand : Verb
{
    private const string All = "all";
    private const int MostOnPage = 100;
    private const int PageHead = 10;

    private readonly Argument<string[]> _files = new("FILE")
    {
        Description = DataOptions.RowsDescription,
        Arity = ArgumentArity.OneOrMore,
    };

    private readonly Option<string?> _model = new("--model")
    {
        Description = "The model whose tokenizer, chat template and limits apply.",
        HelpName = "MODEL",
    };

    private readonly TokenizerOption _tokenizer = new();
    private readonly FieldNamesOption _names = new();
    private readonly ChatOptions _chat = new();

    private readonly Option<int?> _sequenceLength =
        NumberOption.Optional<int>("--seq-len", "Truncate rows to this many tokens.", "S");

    private readonly Option<string?> _show = new("--show")
    {
        Description = "Print this many rows, or all. [default: none; with --json all]",
        HelpName = "N|all",
    };

    private readonly Option<string?> _html = new("--html")
    {
        Description = "Write the report and the rows, 100 unless --show says otherwise, to a web page that needs no "
            + "other file.",
        HelpName = "FILE",
    };

    private readonly Option<bool> _prompt = new("--add-generation-prompt")
    {
        Description = "Render conversations as prompts that end where the assistant's turn begins.",
    };

    private readonly Option<bool> _continues = new("--continue-final-message")
    {
        Description = "Render conversations as prompts that end within their last turn.",
    };

    [System.Diagnostics.CodeAnalysis.SetsRequiredMembers]
    public DataCommand(Host host)
        : base(host, "data", "Inspect rows before training: lengths, what is learned, and how the model sees them.")
    {
        Examples =
        [
            "ortpeft data train.jsonl --model gpt2-onnx",
            "ortpeft data train.jsonl --tokenizer smollm2 --show 3",
            "ortpeft data train.jsonl --tokenizer smollm2 --html rows.html",
            "ortpeft data chat.jsonl --tokenizer smollm2 --train-on last --seq-len 512 --overlong drop --json",
        ];
        Notes =
            "Messages are rendered by the folder's chat template, as Hugging Face transformers does. Without one, each "
            + "turn becomes \"role: content\" and a line feed, with the end-of-text token after an assistant's.\n"
            + "Exits with 2 if a row cannot be read; the report is printed either way.";
        Arguments.Add(_files);
        Options.Add(_model);
        Options.Add(_tokenizer);
        Add(_chat);
        Options.Add(_sequenceLength);
        Options.Add(_names);
        Options.Add(_show);
        Options.Add(_html);
        Options.Add(_prompt);
        Options.Add(_continues);
        _show.Validators.Add(static result =>
        {
            var isCount = result.Tokens is [.., { Value: var text }]
                && (text == All || int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out _));
            if (!isCount)
                result.AddError($"--show is '{result.Tokens[^1].Value}'; it must be a number of rows, or all.");
        });
    }

    protected override void Run(Invocation run)
    {
        var source = run.Get(_model) is { } model ? ModelSource.Open(model, run.Note) : null;
        var folder = run.Get(_tokenizer) ?? source?.Folder
            ?? throw new UsageException("the tokenizer is missing; give --tokenizer DIR or --model MODEL.");
        var problem = Load(folder, out var tokenizer);
        var templates = new Lazy<ChatTemplates?>(() => ChatTemplates.Load(folder));
        var context = source?.ContextLength;
        var reader = new ExampleReader(tokenizer, new ExampleReaderOptions
        {
            SequenceLength = _chat.Longest(run, run.Get(_sequenceLength), context),
            ContextLength = context,
            VocabularySize = source?.VocabularySize,
            Overlong = _chat.Overlong(run),
            Names = _names.Read(run),
            Chat = new ChatFormat { Templates = templates, TrainOn = _chat.Learned(run), Ending = Ending(run) },
        });
        RowPreview[] rows = [.. DataFile.Find(run, run.Get(_files)).SelectMany(file => Rows(run, reader, file))];
        var report = new DataReport(rows, tokenizer, isPrompt: Ending(run) != ChatEnding.Closed);
        IReadOnlyList<Example> examples = [.. rows.Select(static r => r.Example).OfType<Example>()];
        var stops = source?.StopTokenIds ?? [];
        foreach (var (line, isWarning) in ChatReport.Lines(examples, templates, folder, tokenizer, stops))
            Speak(run, line, isWarning && Ending(run) == ChatEnding.Closed);
        foreach (var line in report.Lines())
            run.Say(line);
        if (run.Get(_html) is { } page)
            WritePage(run, page, report, rows.Length);
        else
            report.Show(run, Shown(run, rows.Length));
        run.Answer(report.ToJson(run.Get(_show) is null ? rows.Length : Shown(run, rows.Length)));
        if (problem is not null)
            throw new UsageException(problem);
        if (report.Fault is { } fault)
            throw fault;
    }

    /// <summary>Replaces a page of an earlier run, and no other file.</summary>
    private void WritePage(Invocation run, string path, DataReport report, int rows)
    {
        if (Directory.Exists(path) || (File.Exists(path) && !IsPage(path)))
            throw new UsageException($"--html {path} is there and no page of ortpeft data; give another file.");
        AtomicFile.Write(path, report.ToHtml(run.Has(_show) ? Shown(run, rows) : MostOnPage));
        run.Say($"Wrote {path}.");
    }

    private static bool IsPage(string path) =>
        File.ReadLines(path).Take(PageHead).Any(static line => line == DataPage.Mark);

    private static IEnumerable<RowPreview> Rows(Invocation run, ExampleReader reader, DataFile file)
    {
        if (file.Path != DataFile.StandardInput)
            return reader.Preview(file.Path);
        var bytes = Encoding.UTF8.GetBytes(run.Host.Input.ReadToEnd());
        return reader.Preview(new MemoryStream(bytes), DataFile.StandardInputName);
    }

    /// <summary>A folder whose tokenizer cannot be read still shows conversations as text.</summary>
    private static string? Load(string folder, out ITokenizer? tokenizer)
    {
        tokenizer = null;
        if (!File.Exists(folder) && !TokenizerFolder.Holds(folder))
            return $"{folder}: no tokenizer is there; rows are shown as text alone.";
        try
        {
            tokenizer = TokenizerFolder.Load(folder);
            return null;
        }
        catch (TokenizerFormatException e)
        {
            return e.Message;
        }
    }

    private static void Speak(Invocation run, string line, bool isWarning)
    {
        if (isWarning)
            run.Warn(line);
        else
            run.Say(line);
    }

    private ChatEnding Ending(Invocation run) => (run.Get(_prompt), run.Get(_continues)) switch
    {
        (true, true) => throw new UsageException(
            "--add-generation-prompt and --continue-final-message exclude each other; give one."),
        (true, _) => ChatEnding.GenerationPrompt,
        (_, true) => ChatEnding.OpenTurn,
        _ => ChatEnding.Closed,
    };

    private int Shown(Invocation run, int all) => run.Get(_show) switch
    {
        null => 0,
        All => all,
        var count => int.Parse(count, CultureInfo.InvariantCulture),
    };
}
