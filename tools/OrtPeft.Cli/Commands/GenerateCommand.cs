using System.CommandLine;
using System.Text;
using OrtPeft.Adapters;
using OrtPeft.Cli.Data;
using OrtPeft.Cli.Errors;
using OrtPeft.Cli.Options;
using OrtPeft.Cli.Reporting;
using OrtPeft.Inference.Generation;
using OrtPeft.Models;
using OrtPeft.Tokenizers;
using OrtPeft.Tokenizers.Chat;

namespace OrtPeft.Cli.Commands;

/// <summary>Continues a text.</summary>
internal sealed class GenerateCommand : Verb
{
    private readonly ModelArgument _model = new();
    private readonly AdapterOption _adapter = new();
    private readonly TokenizerOption _tokenizer = new();
    private readonly SamplingOptions _sampling = new();

    private readonly Option<string?> _prompt = new("--prompt")
    {
        Description = "The text to continue; - reads it from standard input.",
        HelpName = "TEXT",
    };

    private readonly Option<string?> _messages = new("--messages")
    {
        Description = "Answer a conversation instead, by the model's chat template: a JSON file with an array of messages, "
            + "or an object of messages, tools and chat_template_kwargs.",
        HelpName = "FILE",
    };

    private readonly Option<string?> _system = new("--system")
    {
        Description = "A system text before the messages.",
        HelpName = "TEXT",
    };

    private readonly Option<string[]> _stops = new("--stop")
    {
        Description = "End before this text; may be repeated.",
        HelpName = "TEXT",
    };

    [System.Diagnostics.CodeAnalysis.SetsRequiredMembers]
    public GenerateCommand(Host host)
        : base(host, "generate", "Continue a text; what comes is written as it comes.")
    {
        Examples =
        [
            "ortpeft generate gpt2-onnx --prompt 'Once upon a time'",
            "ortpeft generate gpt2-onnx --adapter adapter --prompt 'Q: ' --temperature 0.8 --top-p 0.95 --seed 1",
            "ortpeft generate gpt2-onnx --adapter style --adapter task --prompt 'Once upon a time'",
            "ortpeft generate gpt2-onnx --prompt - < prompt.txt",
            "ortpeft generate smollm2 --messages chat.json --system 'Be brief.'",
        ];
        Arguments.Add(_model);
        Options.Add(_prompt);
        Options.Add(_messages);
        Options.Add(_system);
        Options.Add(_stops);
        Options.Add(_adapter);
        Options.Add(_tokenizer);
        Add(_sampling);
    }

    protected override void Run(Invocation run)
    {
        var source = _model.Open(run);
        var tokenizer = _tokenizer.Find(run, source) ?? throw new UsageException(
            $"{source.Folder} holds no tokenizer, which a text prompt needs; name its folder with --tokenizer.");
        var prompt = Prompt(run, source);
        var adapted = _adapter.LoadOn(source.Model, run);
        var context = ModelLimits.ContextLength(source, adapted?.ReservedPositions ?? 0);
        var options = _sampling.Read(run) with { ContextLength = context };
        using var generator = Generator.Open(adapted?.ForInference() ?? source.Model, run.Runtime);
        if (adapted is not null)
            AccuracyNote.Warn(run, source);
        options = WithEnds(run, options, source, tokenizer);
        var tokens = run.Has(_messages)
            ? generator.Generate(
                tokenizer.Encode(prompt), // the template itself writes the token that starts a text
                options with { VocabularySize = options.VocabularySize ?? tokenizer.VocabularySize })
            : generator.Generate(tokenizer, prompt, options);
        try
        {
            Stream(run, tokenizer, prompt, tokens, run.Get(_stops) ?? []);
        }
        catch (NotFiniteNumberException e)
        {
            throw new ResultException(e.Message);
        }
    }

    /// <summary>The text that the model continues: as given, or what the chat template makes of messages.</summary>
    private string Prompt(Invocation run, ModelSource source)
    {
        if (run.Has(_prompt) == run.Has(_messages))
            throw new UsageException("Give what to continue: --prompt TEXT or --messages FILE, one of them.");
        if (run.Get(_prompt) is { } text)
        {
            return run.Has(_system)
                ? throw new UsageException("--system stands before messages; give --messages FILE, or leave it out.")
                : text == "-" ? run.Host.Input.ReadToEnd() : text;
        }

        var (file, folder) = (run.Get(_messages)!, _tokenizer.FolderFor(run, source));
        var templates = ChatTemplates.Load(folder) ?? throw new UsageException(
            $"{folder} holds no chat template, which messages need; write the prompt with --prompt.");
        var conversation = ChatInput.Read(file, run.Get(_system));
        try
        {
            var template = templates.Select(conversation.Tools is not null);
            return template.Render(conversation, ChatEnding.GenerationPrompt).Text;
        }
        catch (ChatTemplateException e)
        {
            throw new UsageException($"{file}: {e.Message}");
        }
    }

    /// <summary>Tokenizer, description and generation settings may each name tokens that end a text; where none does,
    /// the family's own counts.</summary>
    private static GenerationOptions WithEnds(
        Invocation run, GenerationOptions options, ModelSource source, ITokenizer tokenizer)
    {
        var stops = source.StopTokenIds;
        var vocabulary = source.VocabularySize ?? int.MaxValue;
        string[] outside = [.. stops.Where(id => id < 0 || id >= vocabulary).Select(static id => Human.Plain(id))];
        if (outside.Length > 0)
            run.Warn($"{source.Folder}: eos_token_id {string.Join(", ", outside)} is outside the vocabulary of "
                + $"{Human.Plain(vocabulary)} and ends no text.");
        var end = tokenizer.EndOfTextId ?? (stops.Count == 0 ? source.Config?.EosTokenId : null);
        return options with { EosTokenId = end, StopTokenIds = stops };
    }

    private static void Stream(
        Invocation run, ITokenizer tokenizer, string prompt, TokenSequence tokens, IReadOnlyList<string> stops)
    {
        var (text, count, started) = (new StringBuilder(), 0, run.Host.Clock.GetTimestamp());
        foreach (var piece in tokenizer.StreamText(tokens.Select(token => (++count, token).token)).Until(stops))
        {
            text.Append(piece);
            run.Write(piece);
        }

        var seconds = run.Host.Clock.GetElapsedTime(started).TotalSeconds;
        run.Say("");
        run.Answer(new()
        {
            ["prompt"] = prompt,
            ["text"] = text.ToString(),
            ["tokens"] = count,
            ["finish_reason"] = Word(tokens.FinishReason),
            ["tokens_per_second"] = seconds > 0 ? count / seconds : null,
        });
    }

    private static string Word(FinishReason? reason) => reason switch
    {
        null => "stop",
        FinishReason.EndOfText => "end_of_text",
        FinishReason.Length => "length",
        FinishReason.Context => "context",
        _ => throw new System.Diagnostics.UnreachableException($"Bug: no word for {reason}."),
    };
}
