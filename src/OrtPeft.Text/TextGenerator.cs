using OrtPeft.Adapters;
using OrtPeft.Inference.Generation;
using OrtPeft.Runtime.Sessions;
using OrtPeft.Tokenizers.Chat;

namespace OrtPeft.Text;

/// <summary>
/// Text from a language model: continues prompts and answers conversations. It may be used from several threads at
/// once; dispose it to free its session.
/// </summary>
public sealed class TextGenerator : IDisposable
{
    private readonly TextModel _model;
    private readonly Generator _generator;
    private readonly int? _contextLength;

    private TextGenerator(TextModel model, Generator generator, int? contextLength)
    {
        _model = model;
        _generator = generator;
        _contextLength = contextLength;
    }

    internal static TextGenerator Open(TextModel model, PeftModel? adapted, RuntimeOptions? runtime)
    {
        var contextLength = model.PositionsBeside(adapted);
        var generator = Generator.Open(adapted?.ForInference() ?? model.Source.Model, runtime);
        return new TextGenerator(model, generator, contextLength);
    }

    /// <summary>Continues a text.</summary>
    /// <param name="prompt">The text; special tokens spelled out in it count as such.</param>
    /// <param name="options">How to choose tokens and when to stop; greedy, 50 tokens when left out. What ends a text
    /// by the model's files ends it too.</param>
    /// <param name="cancellation">Stops between two tokens.</param>
    /// <returns>What comes after the prompt.</returns>
    /// <exception cref="ArgumentException">The prompt does not fit the model's context, or an option leaves its
    /// range.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public string Generate(
        string prompt, GenerationOptions? options = null, CancellationToken cancellation = default) =>
        string.Concat(Stream(prompt, options, cancellation));

    /// <summary>Continues a text piece by piece, as <see cref="Generate"/> does.</summary>
    /// <param name="prompt">The text; special tokens spelled out in it count as such.</param>
    /// <param name="options">How to choose tokens and when to stop; greedy, 50 tokens when left out.</param>
    /// <param name="cancellation">Stops between two tokens.</param>
    /// <returns>Pieces, computed as they are enumerated; each enumeration runs the model anew.</returns>
    /// <exception cref="ArgumentException">The prompt does not fit the model's context, or an option leaves its
    /// range.</exception>
    /// <exception cref="OperationCanceledException">While enumerating: it was cancelled.</exception>
    public IEnumerable<string> Stream(
        string prompt, GenerationOptions? options = null, CancellationToken cancellation = default) =>
        _model.Tokenizer.StreamText(
            _generator.Generate(_model.Tokenizer, prompt, WithLimits(options), cancellation));

    /// <summary>
    /// Answers a conversation, which goes through the model's chat template as its training rows do; without a template
    /// each turn is <c>role: content</c> and a line feed.
    /// </summary>
    /// <param name="messages">The turns so far, the last one mostly the user's.</param>
    /// <param name="options">How to choose tokens and when to stop; greedy, 50 tokens when left out.</param>
    /// <param name="cancellation">Stops between two tokens.</param>
    /// <returns>What the assistant says, without white space around it.</returns>
    /// <exception cref="ArgumentException">There are no turns, they do not fit the model's context, or an option leaves
    /// its range.</exception>
    /// <exception cref="ChatTemplateException">The template refuses the conversation.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public string Answer(
        IReadOnlyList<ChatMessage> messages,
        GenerationOptions? options = null,
        CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(messages);
        return string.Concat(StartChat(ChatSession.Of(messages), options).StreamAnswer(cancellation)).Trim();
    }

    /// <summary>Begins a conversation that goes on turn by turn.</summary>
    /// <param name="system">What the system says first; null (the default) for nothing.</param>
    /// <param name="options">How to choose tokens and when to stop; greedy, 50 tokens when left out. What ends a text
    /// by the model's files ends answers too.</param>
    /// <returns>The conversation, which is for one thread at a time.</returns>
    public ChatSession StartChat(string? system = null, GenerationOptions? options = null) =>
        StartChat(ChatSession.Of(system is null ? [] : [new ChatMessage("system", system)]), options);

    /// <summary>Goes on with a conversation.</summary>
    /// <param name="beginning">The turns so far, tools, and what else the template is to see.</param>
    /// <param name="options">How to choose tokens and when to stop; greedy, 50 tokens when left out. What ends a text
    /// by the model's files ends answers too.</param>
    /// <returns>The conversation, which is for one thread at a time.</returns>
    public ChatSession StartChat(ChatConversation beginning, GenerationOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(beginning);
        return new ChatSession(_generator, _model.Tokenizer, _model.Templates.Value, beginning)
        {
            Options = WithLimits(options),
        };
    }

    /// <inheritdoc/>
    public void Dispose() => _generator.Dispose();

    private GenerationOptions WithLimits(GenerationOptions? options) =>
        _model.WithEnds(options ?? new GenerationOptions(), _contextLength);
}
