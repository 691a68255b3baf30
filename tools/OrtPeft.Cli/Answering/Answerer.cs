using System.Text;
using OrtPeft.Inference.Generation;
using OrtPeft.Text;
using OrtPeft.Tokenizers;
using OrtPeft.Tokenizers.Chat;

namespace OrtPeft.Cli.Answering;

/// <summary>A model that continues prompts and answers conversations as the user wants it.</summary>
internal sealed class Answerer(Generator generator, ITokenizer tokenizer, Lazy<ChatTemplates?> templates)
{
    /// <summary>How tokens are chosen; the n-th answer to a prompt has the seed n more.</summary>
    public required GenerationOptions Options { get; init; }

    /// <summary>Texts before which answers end.</summary>
    public required IReadOnlyList<string> Stops { get; init; }

    /// <summary>The clock that times answers.</summary>
    public required TimeProvider Clock { get; init; }

    /// <summary>The n-th answer to a prompt, from 0.</summary>
    /// <param name="prompt">A text, or a conversation.</param>
    /// <param name="n">Which one.</param>
    /// <param name="write">Takes the answer's pieces as they come.</param>
    public Answer Answer(PromptRow prompt, int n, Action<string> write) => prompt.Conversation is { } conversation
        ? Answer(Chat(conversation, n), static chat => chat.StreamAnswer(), write)
        : Continue(prompt.Text!, n, write);

    /// <summary>A conversation that the model answers.</summary>
    /// <param name="beginning">The turns so far; null for none.</param>
    /// <param name="n">What is added to the seed.</param>
    public ChatSession Chat(ChatConversation? beginning, int n = 0)
    {
        var options = Seeded(n);
        return new ChatSession(generator, tokenizer, templates.Value, beginning)
        {
            Options = options with { VocabularySize = options.VocabularySize ?? tokenizer.VocabularySize },
            StopTexts = Stops,
        };
    }

    /// <summary>Writes a conversation's next answer as it comes.</summary>
    /// <param name="chat">The conversation.</param>
    /// <param name="ask">Begins the answer.</param>
    /// <param name="write">Takes the answer's pieces.</param>
    public Answer Answer(ChatSession chat, Func<ChatSession, IEnumerable<string>> ask, Action<string> write)
    {
        var started = Clock.GetTimestamp();
        foreach (var piece in ask(chat))
            write(piece);
        var answer = chat.LastAnswer!; // the enumeration came to its end
        return new Answer(
            chat.Prompt, answer.Text, answer.TokenCount, answer.FinishReason, Since(started), chat.Options.Seed);
    }

    private Answer Continue(string prompt, int n, Action<string> write)
    {
        var started = Clock.GetTimestamp();
        var options = Seeded(n);
        var (text, count) = (new StringBuilder(), 0);
        var tokens = generator.Generate(tokenizer, prompt, options);
        foreach (var piece in tokenizer.StreamText(tokens.Select(token => (++count, token).token)).Until(Stops))
        {
            text.Append(piece);
            write(piece);
        }

        return new Answer(prompt, text.ToString(), count, tokens.FinishReason, Since(started), options.Seed);
    }

    private GenerationOptions Seeded(int n) => Options with { Seed = Options.Seed + n };

    private double Since(long started) => Clock.GetElapsedTime(started).TotalSeconds;
}
