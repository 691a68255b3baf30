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

namespace OrtPeft.Cli.Commands;

/// <summary>Continues a text.</summary>
internal sealed class GenerateCommand : Verb
{
    private readonly ModelArgument _model = new();
    private readonly AdapterOption _adapter = new();
    private readonly TokenizerOption _tokenizer = new();
    private readonly SamplingOptions _sampling = new();

    private readonly Option<string> _prompt = new("--prompt")
    {
        Description = "The text to continue; - reads it from standard input.",
        HelpName = "TEXT",
        Required = true,
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
        ];
        Arguments.Add(_model);
        Options.Add(_prompt);
        Options.Add(_adapter);
        Options.Add(_tokenizer);
        Add(_sampling);
    }

    protected override void Run(Invocation run)
    {
        var source = _model.Open(run);
        var tokenizer = _tokenizer.Find(run, source) ?? throw new UsageException(
            $"{source.Folder} holds no tokenizer, which a text prompt needs; name its folder with --tokenizer.");
        var prompt = run.Get(_prompt) == "-" ? run.Host.Input.ReadToEnd() : run.Get(_prompt);
        var adapted = _adapter.LoadOn(source.Model, run);
        var context = ModelLimits.ContextLength(source, adapted?.ReservedPositions ?? 0);
        var options = _sampling.Read(run) with { ContextLength = context };
        using var generator = Generator.Open(adapted?.ForInference() ?? source.Model, run.Runtime);
        if (adapted is not null)
            AccuracyNote.Warn(run, source);
        var tokens = generator.Generate(tokenizer, prompt, WithEnds(run, options, source, tokenizer));
        try
        {
            Stream(run, tokenizer, prompt, tokens);
        }
        catch (NotFiniteNumberException e)
        {
            throw new ResultException(e.Message);
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

    private static void Stream(Invocation run, ITokenizer tokenizer, string prompt, TokenSequence tokens)
    {
        var (text, count, started) = (new StringBuilder(), 0, run.Host.Clock.GetTimestamp());
        foreach (var piece in tokenizer.StreamText(tokens.Select(token => (++count, token).token)))
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

    private static string? Word(FinishReason? reason) => reason switch
    {
        null => null,
        FinishReason.EndOfText => "end_of_text",
        FinishReason.Length => "length",
        FinishReason.Context => "context",
        _ => throw new System.Diagnostics.UnreachableException($"Bug: no word for {reason}."),
    };
}
