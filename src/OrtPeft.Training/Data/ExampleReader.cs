using OrtPeft.Tokenizers;
using OrtPeft.Training.Data.Chat;
using OrtPeft.Training.Data.Containers;
using OrtPeft.Training.Data.Forms;

namespace OrtPeft.Training.Data;

/// <summary>
/// Reads rows as <see cref="Example"/>s, from JSON Lines, a JSON array, CSV, TSV or Parquet, compressed with gzip or
/// Zstandard or not. A row is one of these, by the first field of the list that it has; a field that is null counts as
/// absent, and fields that are not read are named once a file to <see cref="ExampleReaderOptions.Warn"/>, as are rows
/// that have nothing to learn:
/// <list type="bullet">
/// <item><description>
/// <c>input_ids</c>, with <c>labels</c>, <c>attention_mask</c> and <c>position_ids</c> if given, each of the same
/// length and used as they stand; without labels every token that the mask shows is supervised. Position ids that
/// restart begin a sequence of its own, as in a packed row. Needs no tokenizer.
/// </description></item>
/// <item><description>
/// <c>messages</c>, an array of turns, with <c>tools</c>, <c>documents</c> and <c>chat_template_kwargs</c> beside it
/// where given: rendered by the chat template of <see cref="ExampleReaderOptions.Chat"/>. Without a template each turn
/// becomes <c>role: content</c> and a line feed; after an assistant's turn stands the end-of-text token; roles are
/// assistant, user, system, developer and tool. Only what the assistant says is supervised, the token that ends its
/// turn included, and not where the turn's <c>weight</c> is 0.
/// </description></item>
/// <item><description>
/// <c>prompt</c> and <c>completion</c>: only the completion and the closing end-of-text token are supervised. The ids
/// are the joined text's, as TRL's; where a token would straddle the border, the two are tokenised apart, so that a
/// prompt has the ids it has when text is generated from it. Both may be arrays of messages where there is a template.
/// </description></item>
/// <item><description>
/// <c>conversations</c> of ShareGPT's <c>from</c> and <c>value</c>; Alpaca's <c>instruction</c>, <c>input</c> and
/// <c>output</c>; <c>question</c> and <c>answer</c>; <c>query</c> and <c>response</c>: read as <c>messages</c>, with
/// <c>system</c> and <c>history</c> before them where given.
/// </description></item>
/// <item><description><c>text</c>: everything is supervised, the closing end-of-text token
/// included.</description></item>
/// </list>
/// Arrays may stand as the text of their JSON, as in tables. Other names of fields are given by <see
/// cref="ExampleReaderOptions.Names"/>. A gzip file that was cut short is an error where the app's runtime configuration
/// sets <c>System.IO.Compression.UseStrictValidation</c>, and ends early elsewhere. Where the tokenizer names no
/// end-of-text token, none is appended, nor where a text or completion ends with it.
/// </summary>
/// <remarks>As safe to use from several threads as the tokenizer it was given.</remarks>
public sealed class ExampleReader
{
    private readonly ITokenizer? _tokenizer;
    private readonly RowLimits _limits;
    private readonly Action<string> _warn;
    private readonly Action<string> _note;
    private readonly ChatFormat _chat;
    private readonly OwnNames _names;

    /// <summary>Prepares to read; files are opened by <see cref="Read(string)"/>.</summary>
    /// <param name="tokenizer">Turns rows of text into tokens; null when all rows hold <c>input_ids</c>.</param>
    /// <param name="options">What rows must fit into; null checks no limits.</param>
    /// <exception cref="ArgumentOutOfRangeException">A limit is too small to hold a row.</exception>
    /// <exception cref="ArgumentException">Rows are to be cut to more tokens than the model has positions.</exception>
    public ExampleReader(ITokenizer? tokenizer, ExampleReaderOptions? options = null)
    {
        _tokenizer = tokenizer;
        options ??= new ExampleReaderOptions();
        _limits = new RowLimits(options);
        _chat = options.Chat ?? new ChatFormat();
        _warn = options.Warn ?? (static _ => { });
        _note = options.Note ?? (static _ => { });
        _names = new OwnNames(options.Names);
    }

    /// <summary>
    /// Streams the rows of a file in order; one row is in memory at a time, and of Parquet a row group. In JSON Lines
    /// lines end with LF or CRLF; blank lines and a UTF-8 byte order mark are passed over. Rows without a
    /// supervised token are handed out like others.
    /// </summary>
    /// <param name="path">The file; a row is at most 64 MiB long.</param>
    /// <returns>The rows, read as they are enumerated; each enumeration opens the file anew.</returns>
    /// <exception cref="TrainingDataException">
    /// While enumerating: the file cannot be opened, a row is malformed or outside the limits, or, at the end, no row
    /// of the file has a supervised token.
    /// </exception>
    public IEnumerable<Example> Read(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        return Rows(RowStream.Read(path), path);
    }

    /// <summary>Streams the rows of a stream; see <see cref="Read(string)"/>.</summary>
    /// <param name="stream">What a file would hold; it is read once and not disposed.</param>
    /// <param name="name">What messages call the stream; its ending tells tables of text.</param>
    /// <returns>The rows, read as they are enumerated; to be enumerated once.</returns>
    /// <exception cref="TrainingDataException">While enumerating, as for a file.</exception>
    public IEnumerable<Example> Read(Stream stream, string name)
    {
        ArgumentNullException.ThrowIfNull(stream);
        ArgumentException.ThrowIfNullOrEmpty(name);
        return Rows(RowStream.Read(stream, name), name);
    }

    /// <summary>
    /// Looks at the rows of a file as they would be trained on; a row that is none comes with its error, and the next
    /// one follows. Without a tokenizer conversations come as text alone.
    /// </summary>
    /// <param name="path">The file.</param>
    /// <returns>The rows, read as they are enumerated.</returns>
    /// <exception cref="TrainingDataException">While enumerating: the file cannot be opened.</exception>
    public IEnumerable<RowPreview> Preview(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        return Previews(RowStream.Read(path), path);
    }

    /// <summary>Looks at the rows of a stream; see <see cref="Preview(string)"/>.</summary>
    /// <param name="stream">What a file would hold; it is read once and not disposed.</param>
    /// <param name="name">What messages call the stream; its ending tells tables of text.</param>
    /// <returns>The rows, read as they are enumerated; to be enumerated once.</returns>
    public IEnumerable<RowPreview> Preview(Stream stream, string name)
    {
        ArgumentNullException.ThrowIfNull(stream);
        ArgumentException.ThrowIfNullOrEmpty(name);
        return Previews(RowStream.Read(stream, name), name);
    }

    private IEnumerable<RowPreview> Previews(IEnumerable<JsonLine> rows, string name) =>
        rows.SelectMany(line => Preview(new DataPlace(name, line.Number), line));

    private IReadOnlyList<RowPreview> Preview(DataPlace place, JsonLine line)
    {
        var preview = new RowPreview(place.File!, place.Line);
        try
        {
            using var row = WildRow.Parse(place, line, _names);
            preview = preview with { Found = RowKinds.NameOf(row) };
            var text = RowKinds.Conversation(row, _chat) is { } chat ? chat.Encoder.Render(chat.Row).Text : null;
            if (text is not null && _tokenizer is null)
                return [preview with { Text = text }];
            var whole = RowKinds.Read(row, _tokenizer, _chat, out var field);
            preview = preview with
            {
                Text = text ?? (_tokenizer is null ? null : ReadableTokens.Of(_tokenizer, whole.InputIds)),
                WholeLength = whole.Length,
            };
            var parts = _limits.Apply(whole, field);
            return parts.Count == 0
                ? [preview with { IsDropped = true }]
                : [.. parts.Select(part => preview with { Example = part, IsDropped = part.SupervisedTokens == 0 })];
        }
        catch (TrainingDataException error)
        {
            return [preview with { Error = error.Message }];
        }
    }

    private IEnumerable<Example> Rows(IEnumerable<JsonLine> rows, string name)
    {
        var notes = new RowNotes(new DataPlace(name, 0));
        foreach (var line in rows)
        {
            foreach (var example in Parse(new DataPlace(name, line.Number), line, notes))
                yield return example;
        }

        notes.Conclude(_warn, _note);
    }

    private IReadOnlyList<Example> Parse(DataPlace place, JsonLine line, RowNotes notes)
    {
        using var row = WildRow.Parse(place, line, _names);
        var whole = RowKinds.Read(row, _tokenizer, _chat, out var field);
        var parts = _limits.Apply(whole, field);
        notes.Add(row, whole, parts);
        return parts;
    }
}
