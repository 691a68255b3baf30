using System.Text;
using System.Text.Json;
using OrtPeft.Inference.Generation;
using OrtPeft.Tokenizers;
using OrtPeft.Tokenizers.Chat;

namespace OrtPeft.Text;

/// <summary>
/// A conversation with a model that goes on turn by turn. Each question and its answer become turns once the answer has
/// ended; one that was cancelled or that nobody enumerates any more stays as far as it came, and where nothing came its
/// question is dropped too. Every answer runs the whole conversation through the model. Not thread-safe, and one answer
/// at a time.
/// </summary>
public sealed class ChatSession
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web);

    private readonly Generator _generator;
    private readonly ITokenizer _tokenizer;
    private readonly ChatTemplates? _templates;
    private bool _isAnswering;

    /// <summary>Begins a conversation.</summary>
    /// <param name="generator">The model; it must live as long as the conversation.</param>
    /// <param name="tokenizer">The model's tokenizer.</param>
    /// <param name="templates">The model's chat templates; null writes each turn as <c>role: content</c> and a line
    /// feed, answers then being without white space around them.</param>
    /// <param name="beginning">The turns so far, tools, and what else the template is to see; null (the default) for
    /// none.</param>
    public ChatSession(
        Generator generator, ITokenizer tokenizer, ChatTemplates? templates, ChatConversation? beginning = null)
    {
        ArgumentNullException.ThrowIfNull(generator);
        ArgumentNullException.ThrowIfNull(tokenizer);
        _generator = generator;
        _tokenizer = tokenizer;
        _templates = templates;
        Conversation = beginning ?? Of([]);
    }

    /// <summary>How tokens are chosen and when answers stop; greedy, 50 tokens, and never at an end of text by
    /// default. <see cref="TextGenerator.StartChat(string?, GenerationOptions?)"/> adds what ends the model's
    /// texts.</summary>
    public GenerationOptions Options { get; init; } = new();

    /// <summary>Texts before which answers end; none by default.</summary>
    public IReadOnlyList<string> StopTexts { get; init; } = [];

    /// <summary>The turns so far, and what else the template sees.</summary>
    public ChatConversation Conversation { get; private set; }

    /// <summary>The text that the model was last asked to continue; empty before the first question.</summary>
    public string Prompt { get; private set; } = "";

    /// <summary>The last answer that became a turn; null before the first.</summary>
    public ChatAnswer? LastAnswer { get; private set; }

    /// <summary>Asks the user's next question.</summary>
    /// <param name="question">The user's turn.</param>
    /// <param name="cancellation">Stops between two tokens.</param>
    /// <returns>The answer.</returns>
    /// <exception cref="ArgumentException">The conversation does not fit the model's context, or an option leaves its
    /// range.</exception>
    /// <exception cref="ChatTemplateException">The template refuses the conversation.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public string Ask(string question, CancellationToken cancellation = default) =>
        string.Concat(Stream(question, cancellation));

    /// <summary>Asks the user's next question, the answer coming piece by piece.</summary>
    /// <param name="question">The user's turn.</param>
    /// <param name="cancellation">Stops between two tokens.</param>
    /// <returns>Pieces, computed as they are enumerated, which can be done once.</returns>
    /// <exception cref="ArgumentException">The conversation does not fit the model's context, or an option leaves its
    /// range.</exception>
    /// <exception cref="ChatTemplateException">The template refuses the conversation.</exception>
    /// <exception cref="InvalidOperationException">While enumerating: the conversation has gone on since.</exception>
    /// <exception cref="OperationCanceledException">While enumerating: it was cancelled.</exception>
    public IEnumerable<string> Stream(string question, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(question);
        return Stream(With(Conversation, new ChatMessage("user", question)), cancellation);
    }

    /// <summary>Answers the conversation as it stands, which ends with the user's turn or a tool's result.</summary>
    /// <param name="cancellation">Stops between two tokens.</param>
    /// <returns>Pieces, computed as they are enumerated, which can be done once.</returns>
    /// <exception cref="ArgumentException">There are no turns, they do not fit the model's context, or an option leaves
    /// its range.</exception>
    /// <exception cref="ChatTemplateException">The template refuses the conversation.</exception>
    /// <exception cref="InvalidOperationException">While enumerating: the conversation has gone on since.</exception>
    /// <exception cref="OperationCanceledException">While enumerating: it was cancelled.</exception>
    public IEnumerable<string> StreamAnswer(CancellationToken cancellation = default) =>
        Stream(Conversation, cancellation);

    /// <summary>Turns as a conversation.</summary>
    internal static ChatConversation Of(IEnumerable<ChatMessage> messages) =>
        new() { Messages = JsonSerializer.SerializeToElement(messages, Json) };

    private static ChatConversation With(ChatConversation conversation, ChatMessage turn)
    {
        var element = JsonSerializer.SerializeToElement(turn, Json);
        JsonElement[] turns = [.. conversation.Messages.EnumerateArray(), element];
        return conversation with { Messages = JsonSerializer.SerializeToElement(turns) };
    }

    private IEnumerable<string> Stream(ChatConversation asked, CancellationToken cancellation)
    {
        var prompt = ChatPrompt.Of(asked, _templates, _tokenizer);
        Prompt = prompt.Text;
        return Enumerate(Conversation, asked, _generator.Generate(prompt.Ids, Options, cancellation), cancellation);
    }

    private IEnumerable<string> Enumerate(
        ChatConversation before, ChatConversation asked, TokenSequence tokens, CancellationToken cancellation)
    {
        if (_isAnswering || !ReferenceEquals(before, Conversation))
        {
            throw new InvalidOperationException(
                "The conversation has gone on since this answer was asked for; ask again.");
        }

        _isAnswering = true;
        var (text, count, hasFailed) = (new StringBuilder(), 0, true);
        try
        {
            var stream = _tokenizer.StreamText(tokens.Select(token => (++count, token).token)).Until(StopTexts);
            using var pieces = (_templates is null ? stream.Trimmed() : stream).GetEnumerator();
            while (pieces.MoveNext())
            {
                text.Append(pieces.Current);
                hasFailed = false; // so far: whoever stops enumerating here has had enough
                yield return pieces.Current;
                hasFailed = true;
            }

            hasFailed = false;
        }
        finally
        {
            _isAnswering = false;
            if (!hasFailed || (cancellation.IsCancellationRequested && text.Length > 0))
                Keep(asked, new ChatAnswer(text.ToString(), count, tokens.FinishReason));
        }
    }

    private void Keep(ChatConversation asked, ChatAnswer answer)
    {
        Conversation = With(asked, new ChatMessage("assistant", answer.Text));
        LastAnswer = answer;
    }
}
