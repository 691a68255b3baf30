using System.CommandLine;
using System.Text;
using OrtPeft.Artifacts;
using OrtPeft.Cli.Data;
using OrtPeft.Cli.Errors;
using OrtPeft.Cli.Files;
using OrtPeft.Cli.Reporting;
using OrtPeft.Models;
using OrtPeft.Tokenizers.Chat;
using OrtPeft.Training;
using OrtPeft.Training.Data;
using OrtPeft.Training.Data.Chat;

namespace OrtPeft.Cli.Options;

/// <summary>The rows that a verb reads, and how they become batches.</summary>
internal sealed class DataOptions : IOptionGroup
{
    /// <summary>The files and forms that rows may have.</summary>
    public const string RowsDescription =
        "Files, folders or patterns of JSON Lines, JSON arrays, CSV, TSV or Parquet, also as .gz or .zst; - reads "
        + "standard input. Rows have text, prompt and completion, messages, conversations, instruction and output, "
        + "question and answer, or input_ids.";

    private readonly HashSet<string> _said = new(StringComparer.Ordinal);

    private readonly Option<string[]> _files = new("--data")
    {
        Description = RowsDescription,
        HelpName = "FILE[@WEIGHT]...",
        Required = true,
        AllowMultipleArgumentsPerToken = true,
    };

    private readonly Option<int> _batchSize = NumberOption.Of(
        "--batch-size", "Rows per batch.", "B", new TrainingArguments().BatchSize);

    private readonly Option<int?> _sequenceLength = NumberOption.Optional<int>(
        "--seq-len",
        "Truncate rows to this many tokens. [default: none; rows longer than the model's context are an error]",
        "S");

    private readonly FieldNamesOption _names = new();
    private readonly ChatOptions _chat = new();
    private byte[]? _standardInput;

    /// <summary>The tokenizer for rows of text.</summary>
    public TokenizerOption Tokenizer { get; } = new();

    public IEnumerable<Option> Options => [_files, Tokenizer, _batchSize, _sequenceLength, _names, .. _chat.Options];

    public int BatchSize(Invocation run) => run.Get(_batchSize);

    /// <summary>The files with the rows.</summary>
    /// <exception cref="UsageException">One does not exist.</exception>
    public IReadOnlyList<string> Files(Invocation run) => Files(run, run.Get(_files));

    /// <summary>The files that words of the command line mean.</summary>
    /// <exception cref="UsageException">One does not exist.</exception>
    public static IReadOnlyList<string> Files(Invocation run, IEnumerable<string> words) =>
    [
        .. DataFile.Find(run, words)
            .Select(static f => f.Path)
            .Where(static p => p != DataFile.StandardInput)
            .Select(static p => InputFiles.Existing(p)),
    ];

    /// <summary>How many tokens a row may have: as given, else the model's context; null where neither says.</summary>
    public int? RowLength(Invocation run, int? context) => run.Get(_sequenceLength) ?? context;

    /// <summary>Reads the rows of all data files.</summary>
    /// <param name="run">What the user gave.</param>
    /// <param name="source">The model that the rows must fit.</param>
    /// <param name="reserved">Positions that an adapter takes of it.</param>
    public IReadOnlyList<Example> Read(Invocation run, ModelSource source, int reserved) =>
        Weigh(run, source, reserved).Learned;

    /// <summary>Reads the rows of some files, of all data files where none are named, by the same rules.</summary>
    public WeighedRows Weigh(
        Invocation run, ModelSource source, int reserved, IEnumerable<string>? files = null)
    {
        var (context, vocabulary) = (ModelLimits.ContextLength(source, reserved), source.VocabularySize);
        return Read(run, source.Folder, context, vocabulary, files ?? run.Get(_files), source.StopTokenIds);
    }

    /// <summary>The same for an artifact folder.</summary>
    public WeighedRows Weigh(
        Invocation run, string folder, ArtifactManifest manifest, IEnumerable<string>? files = null)
    {
        var context = manifest.Base.ContextLength - manifest.ReservedPositions;
        return Read(run, folder, context, manifest.Base.VocabularySize, files ?? run.Get(_files), stops: []);
    }

    /// <summary>Looks at the rows of all data files, bad ones too.</summary>
    public IReadOnlyList<RowPreview> Preview(Invocation run, ModelSource source, int reserved) =>
        Preview(run, source.Folder, ModelLimits.ContextLength(source, reserved), source.VocabularySize);

    /// <summary>Looks at the rows for an artifact folder.</summary>
    public IReadOnlyList<RowPreview> Preview(Invocation run, string folder, ArtifactManifest manifest)
    {
        var context = manifest.Base.ContextLength - manifest.ReservedPositions;
        return Preview(run, folder, context, manifest.Base.VocabularySize);
    }

    private RowPreview[] Preview(Invocation run, string folder, int? contextLength, int? vocabularySize)
    {
        var options = ReaderOptions(run, Templates(run, folder), contextLength, vocabularySize);
        var reader = new ExampleReader(Tokenizer.Find(run, folder), options);
        return [.. DataFile.Find(run, run.Get(_files)).SelectMany(file => Previews(run, reader, file))];
    }

    private ExampleReaderOptions ReaderOptions(
        Invocation run, Lazy<ChatTemplates?> templates, int? contextLength, int? vocabularySize) => new()
        {
            Overlong = _chat.Overlong(run),
            Chat = new ChatFormat { Templates = templates, TrainOn = _chat.Learned(run) },
            SequenceLength = _chat.Longest(run, run.Get(_sequenceLength), contextLength),
            ContextLength = contextLength,
            VocabularySize = vocabularySize,
            Names = _names.Read(run),
        };

    /// <summary>The chat templates of a folder, or of the tokenizer's where that is another.</summary>
    public Lazy<ChatTemplates?> Templates(Invocation run, string folder) =>
        new(() => ChatTemplates.Load(run.Get(Tokenizer) ?? folder));

    private WeighedRows Read(
        Invocation run,
        string folder,
        int? contextLength,
        int? vocabularySize,
        IEnumerable<string> files,
        IReadOnlyList<int> stops)
    {
        var tokenizer = Tokenizer.Find(run, folder);
        var tokenizerFolder = run.Get(Tokenizer) ?? folder;
        var templates = Templates(run, folder);
        var reader = new ExampleReader(tokenizer, ReaderOptions(run, templates, contextLength, vocabularySize) with
        {
            Warn = line => Once(line, run.Warn),
            Note = line => Once(line, run.Say),
        });
        var rows = new WeighedRows(DataFile.Find(run, files), file => Rows(run, reader, file));
        foreach (var (line, isWarning) in ChatReport.Lines(rows.All, templates, tokenizerFolder, tokenizer, stops))
            Once(line, isWarning ? run.Warn : run.Say);
        return rows;
    }

    private IEnumerable<Example> Rows(Invocation run, ExampleReader reader, DataFile file) =>
        file.Path == DataFile.StandardInput
            ? reader.Read(StandardInput(run), DataFile.StandardInputName)
            : reader.Read(file.Path);

    private IEnumerable<RowPreview> Previews(Invocation run, ExampleReader reader, DataFile file) =>
        file.Path == DataFile.StandardInput
            ? reader.Preview(StandardInput(run), DataFile.StandardInputName)
            : reader.Preview(file.Path);

    /// <summary>Standard input is kept: a run may read its rows twice.</summary>
    private MemoryStream StandardInput(Invocation run) =>
        new(_standardInput ??= Encoding.UTF8.GetBytes(run.Host.Input.ReadToEnd()));

    /// <summary>Says a line that was not said yet: a run may read its rows twice.</summary>
    private void Once(string line, Action<string> say)
    {
        if (_said.Add(line))
            say(line);
    }
}
