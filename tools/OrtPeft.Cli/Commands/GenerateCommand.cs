using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using OrtPeft.Adapters;
using OrtPeft.Cli.Answering;
using OrtPeft.Cli.Data;
using OrtPeft.Cli.Errors;
using OrtPeft.Cli.Options;
using OrtPeft.Cli.Reporting;
using OrtPeft.Inference.Generation;
using OrtPeft.Models;
using OrtPeft.Tokenizers;
using OrtPeft.Tokenizers.Chat;

namespace OrtPeft.Cli.Commands;

/// <summary>Continues texts and answers conversations.</summary>
internal sealed class GenerateCommand : Verb
{
    private readonly ModelArgument _model = new();
    private readonly AdapterOption _adapter = new();
    private readonly TokenizerOption _tokenizer = new();
    private readonly SamplingOptions _sampling = new();

    private readonly Option<string?> _prompt = new("--prompt")
    {
        Description = "The prompt; - reads it from standard input.",
        HelpName = "TEXT",
    };

    private readonly Option<string?> _messages = new("--messages")
    {
        Description = "Answer a conversation instead, rendered by the model's chat template: a JSON file with an "
            + "array of messages, or an object with messages, tools and chat_template_kwargs.",
        HelpName = "FILE",
    };

    private readonly Option<string?> _prompts = new("--prompts")
    {
        Description = "Answer each line of a JSON Lines file, a text or an object with prompt or messages; - is "
            + "standard input. The answers are JSON Lines too, in the same order.",
        HelpName = "FILE",
    };

    private readonly Option<bool> _chat = new("--chat")
    {
        Description = "Converse: each line that is typed or piped in is answered, after the messages if they are "
            + "given. Ctrl-C ends an answer, and an empty line or /exit the conversation.",
    };

    private readonly Option<string?> _system = new("--system")
    {
        Description = "A system message to put before the others.",
        HelpName = "TEXT",
    };

    private readonly Option<int> _count = NumberOption.Of(
        "--num-return-sequences", "Answers to each prompt, each with a seed one higher.", "N", 1, least: 1);

    private readonly Option<string[]> _stops = new("--stop")
    {
        Description = "Stop before this text (repeatable).",
        HelpName = "TEXT",
    };

    [System.Diagnostics.CodeAnalysis.SetsRequiredMembers]
    public GenerateCommand(Host host)
        : base(host, "generate", "Generate text from a prompt, streaming tokens as they are produced.")
    {
        Examples =
        [
            "ortpeft generate gpt2-onnx --prompt 'Once upon a time'",
            "ortpeft generate gpt2-onnx --adapter adapter --prompt 'Q: ' --temperature 0.8 --top-p 0.95 --seed 1",
            "ortpeft generate gpt2-onnx --adapter style --adapter task --prompt 'Once upon a time'",
            "ortpeft generate gpt2-onnx --prompt - < prompt.txt",
            "ortpeft generate smollm2 --messages chat.json --system 'Be brief.'",
            "ortpeft generate smollm2 --chat --system 'Be brief.'",
            "ortpeft generate smollm2 --prompts questions.jsonl --max-new-tokens 200 > answers.jsonl",
        ];
        Notes =
            "Conversations go through the folder's chat template; without one each turn becomes \"role: content\"\n"
            + "and a line feed, as in training. Tokens are drawn as the model's generation_config.json has it, where\n"
            + "there is one and the options do not say otherwise; a line says what was taken from it.";
        Arguments.Add(_model);
        Options.Add(_prompt);
        Options.Add(_messages);
        Options.Add(_prompts);
        Options.Add(_chat);
        Options.Add(_system);
        Options.Add(_count);
        Options.Add(_stops);
        Options.Add(_adapter);
        Options.Add(_tokenizer);
        Add(_sampling);
    }

    protected override void Run(Invocation run)
    {
        CheckCombination(run);
        if (run.Has(_prompts))
            run.AnswerInLines();
        _sampling.Check(run);
        var source = _model.Open(run);
        var tokenizer = _tokenizer.Find(run, source) ?? throw new UsageException(
            $"{source.Folder} holds no tokenizer, which a text prompt needs; name its folder with --tokenizer.");
        var prompt = run.Has(_prompts) || run.Get(_chat) ? null : Prompt(run);
        var adapted = _adapter.LoadOn(source.Model, run);
        var context = ModelLimits.ContextLength(source, adapted?.ReservedPositions ?? 0);
        var options = Sampling(run, source) with { ContextLength = context };
        using var generator = Generator.Open(adapted?.ForInference() ?? source.Model, run.Runtime);
        if (adapted is not null)
            AccuracyNote.Warn(run, source);
        var answerer = new Answerer(generator, tokenizer, Templates(run, source))
        {
            Options = WithEnds(run, options, source, tokenizer),
            Stops = run.Get(_stops) ?? [],
            Clock = run.Host.Clock,
        };
        try
        {
            if (prompt is not null)
                Answer(run, answerer, prompt);
            else if (run.Get(_chat))
                Converse(run, answerer);
            else
                new PromptFile(run, answerer, run.Get(_prompts)!).Answer(run.Get(_count));
        }
        catch (NotFiniteNumberException e)
        {
            throw new ResultException(e.Message);
        }
        catch (ChatTemplateException e)
        {
            throw new UsageException(run.Get(_messages) is { } file ? $"{file}: {e.Message}" : e.Message);
        }
    }

    private void CheckCombination(Invocation run)
    {
        var sources = new[] { run.Has(_prompt), run.Has(_prompts), run.Has(_messages) || run.Get(_chat) };
        if (sources.Count(static given => given) != 1)
        {
            throw new UsageException(
                "Give what to continue: --prompt TEXT, --messages FILE, --prompts FILE or --chat, one of them; "
                + "--messages and --chat go together.");
        }

        if (run.Has(_system) && !run.Has(_messages) && !run.Get(_chat))
        {
            throw new UsageException(
                "--system stands before messages; give --messages FILE or --chat, or leave it out.");
        }

        if (run.Get(_count) > 1 && run.Get(_chat))
        {
            throw new UsageException(
                "--num-return-sequences gives several answers, and a conversation goes on with one; leave it out.");
        }
    }

    /// <summary>The single prompt to answer.</summary>
    private PromptRow Prompt(Invocation run)
    {
        if (run.Get(_prompt) is { } text)
            return PromptRow.Of(text == "-" ? run.Host.Input.ReadToEnd() : text);
        var file = run.Get(_messages)!;
        var conversation = ChatInput.Read(file, run.Get(_system));
        try
        {
            return PromptRow.Of(conversation);
        }
        catch (UsageException e)
        {
            throw new UsageException($"{file}: {e.Message}");
        }
    }

    /// <summary>How tokens are chosen, by the options and the model's own settings.</summary>
    private GenerationOptions Sampling(Invocation run, ModelSource source)
    {
        var settings = source.Sampling;
        var (options, fromModel) = _sampling.Read(run, settings);
        var file = Path.Combine(source.Folder, ModelFamilies.GenerationConfigFileName);
        if (fromModel is not null)
            run.Say($"sampling: {fromModel} by {file}");
        if (settings.Unfollowed.Length > 0)
            run.Warn($"{file}: {settings.Unfollowed} is not followed here, so other tools may choose other tokens.");
        return options.IsGreedy && run.Get(_count) > 1
            ? throw new UsageException(
                $"--num-return-sequences {run.Get(_count)} would give one answer several times, because tokens are "
                + "chosen greedily; give --temperature too.")
            : options;
    }

    /// <summary>The chat templates; says, when they are first needed, that there are none.</summary>
    private Lazy<ChatTemplates?> Templates(Invocation run, ModelSource source)
    {
        var folder = _tokenizer.FolderFor(run, source);
        return new(() =>
        {
            var templates = ChatTemplates.Load(folder);
            if (templates is null)
                run.Say($"messages: no chat template in {folder}, so turns are written as \"role: content\"");
            return templates;
        });
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
        return options with { EosTokenId = source.EndOfText(tokenizer.EndOfTextId), StopTokenIds = stops };
    }

    private void Answer(Invocation run, Answerer answerer, PromptRow prompt)
    {
        var count = run.Get(_count);
        var answers = new List<Answer>();
        for (var n = 0; n < count; n++)
        {
            if (count > 1)
                run.Say(string.Create(CultureInfo.InvariantCulture, $"--- seed {answerer.Options.Seed + n}"));
            answers.Add(answerer.Answer(prompt, n, run.Write));
            run.Say("");
        }

        var document = count == 1
            ? answers[0].ToJson()
            : new JsonObject { ["answers"] = new JsonArray([.. answers.Select(static a => (JsonNode)a.ToJson())]) };
        document.Insert(0, "prompt", answers[0].Prompt);
        document["sampling"] = SamplingOptions.ToJson(answerer.Options);
        run.Answer(document);
    }

    private void Converse(Invocation run, Answerer answerer)
    {
        var beginning = run.Get(_messages) is { } file
            ? ChatInput.Read(file, run.Get(_system))
            : ChatInput.Begin(run.Get(_system));
        var chat = answerer.Chat(beginning);
        var answers = new ChatLoop(run, answerer, chat).Run();
        run.Answer(new()
        {
            ["messages"] = JsonNode.Parse(chat.Conversation.Messages.GetRawText()),
            ["answers"] = answers,
            ["sampling"] = SamplingOptions.ToJson(answerer.Options),
        });
    }
}
