using System.CommandLine;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using OrtPeft.Cli.Data;
using OrtPeft.Cli.Errors;
using OrtPeft.Cli.Reporting;
using OrtPeft.Onnx.Decoders;
using OrtPeft.Tokenizers;

namespace OrtPeft.Cli.Commands;

/// <summary>Shows the tokens of texts.</summary>
internal sealed class TokenizeCommand : Verb
{
    private static readonly JsonSerializerOptions Readable = new()
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    private readonly Argument<string[]> _texts = new("text")
    {
        Description = "Texts to split.",
        Arity = ArgumentArity.ZeroOrMore,
    };

    private readonly Option<string?> _file = new("--file")
    {
        Description = "A JSON list of strings, or JSON Lines with \"text\", to split instead.",
        HelpName = "FILE",
    };

    private readonly Option<string> _tokenizer = new("--tokenizer")
    {
        Description = "The folder with the tokenizer's files, or a tokenizer.json.",
        HelpName = "DIR",
        Required = true,
    };

    [System.Diagnostics.CodeAnalysis.SetsRequiredMembers]
    public TokenizeCommand(Host host)
        : base(host, "tokenize", "Show how texts are tokenized, with and without special tokens.")
    {
        Examples =
        [
            "ortpeft tokenize --tokenizer gpt2-onnx \"Hello, world!\"",
            "ortpeft tokenize --tokenizer gpt2-onnx --file strings.json --json",
        ];
        Notes = "With --json each row has input_ids, input_ids_special (with what the post-processor adds), text and "
            + "text_skip_special (the two decoded, the latter without special tokens). Special tokens spelled out in a "
            + "text count as such; in a SentencePiece model without tokenizer.json they are plain text.";
        Arguments.Add(_texts);
        Options.Add(_file);
        Options.Add(_tokenizer);
    }

    protected override void Run(Invocation run)
    {
        var texts = Texts(run);
        var tokenizer = TokenizerFolder.Load(run.Get(_tokenizer));
        var rows = new JsonArray();
        foreach (var text in texts)
        {
            var ids = Encode(tokenizer, text);
            var framed = tokenizer.Frame.Around(ids);
            Show(run, tokenizer, text, framed);
            rows.Add(new JsonObject
            {
                [DecoderNames.Ids] = Array(ids),
                ["input_ids_special"] = Array(framed),
                ["text"] = tokenizer.Decode(ids),
                ["text_skip_special"] = tokenizer.Decode(framed.Where(id => !tokenizer.IsSpecial(id))),
            });
        }

        run.Answer(new() { ["rows"] = rows });
    }

    private IReadOnlyList<string> Texts(Invocation run)
    {
        var texts = run.Get(_texts);
        if (run.Get(_file) is not { } file)
            return texts.Length > 0 ? texts : throw new UsageException("Give a text, or a file of texts with --file.");
        return texts.Length == 0 ? TextList.Read(file) : throw new UsageException("Give texts or --file, not both.");
    }

    private static IReadOnlyList<int> Encode(ITokenizer tokenizer, string text)
    {
        var isSentencePiece = tokenizer is PipelineTokenizer { IsSentencePiece: true };
        var handling = isSentencePiece ? SpecialTokenHandling.TreatAsText : SpecialTokenHandling.Recognize;
        return tokenizer.Encode(text, handling);
    }

    private static void Show(Invocation run, ITokenizer tokenizer, string text, IReadOnlyList<int> ids)
    {
        if (run.IsJson)
            return;
        run.Say($"{Human.Count(ids.Count, "token")} of {JsonValue.Create(text).ToJsonString(Readable)}");
        foreach (var id in ids)
        {
            var mark = tokenizer.IsSpecial(id) ? "  special" : "";
            run.Say($"{id,8}  {JsonValue.Create(tokenizer.SpellingOf(id)).ToJsonString(Readable)}{mark}");
        }
    }

    private static JsonArray Array(IEnumerable<int> ids) => [.. ids.Select(static id => JsonValue.Create(id))];
}
