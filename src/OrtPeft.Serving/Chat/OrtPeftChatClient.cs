using System.Runtime.CompilerServices;
using System.Text.Json;
using Microsoft.Extensions.AI;
using OrtPeft.Serving.Texts;
using OrtPeft.Tokenizers.Chat;
using FinishReason = OrtPeft.Inference.Generation.FinishReason;

namespace OrtPeft.Serving.Chat;

/// <summary>
/// A served model as a chat client. <see cref="ChatOptions.ModelId"/> names the adapter of a request; without it the model
/// alone answers. Requests of any adapters are computed together. It does not own the model, and may be used from several
/// threads at once.
/// </summary>
public sealed class OrtPeftChatClient : IChatClient
{
    /// <summary>The name of this kind of client in telemetry.</summary>
    internal const string Provider = "ortpeft";

    private readonly ServedModel _served;
    private readonly string? _adapter;

    /// <summary>Makes a client.</summary>
    /// <param name="served">The model; it must live as long as the client.</param>
    /// <param name="adapter">The adapter of requests that name none; null (the default) for the model alone.</param>
    public OrtPeftChatClient(ServedModel served, string? adapter = null)
    {
        ArgumentNullException.ThrowIfNull(served);
        (_served, _adapter) = (served, adapter);
    }

    /// <summary>Answers a conversation.</summary>
    /// <param name="messages">The turns so far: texts, calls of functions and their results.</param>
    /// <param name="options">The adapter, how to choose tokens, and functions; what the model's files say when left out. An
    /// option that cannot be followed is an error.</param>
    /// <param name="cancellationToken">Breaks the answer off.</param>
    /// <returns>The answer, with its calls of functions and the tokens it took.</returns>
    /// <exception cref="UnknownModelException">There is no such adapter.</exception>
    /// <exception cref="QueueFullException">Too many requests wait already.</exception>
    /// <exception cref="NotSupportedException">A turn or an option is of a kind that a model of text cannot follow, or the
    /// model has no head.</exception>
    /// <exception cref="ArgumentException">The conversation does not fit the model's context, or an option leaves its
    /// range.</exception>
    /// <exception cref="ChatTemplateException">The template refuses the conversation.</exception>
    public async Task<ChatResponse> GetResponseAsync(
        IEnumerable<Microsoft.Extensions.AI.ChatMessage> messages,
        ChatOptions? options = null,
        CancellationToken cancellationToken = default) =>
        await GetStreamingResponseAsync(messages, options, cancellationToken).ToChatResponseAsync(cancellationToken)
            .ConfigureAwait(false);

    /// <summary>Answers a conversation piece by piece.</summary>
    /// <param name="messages">As for <see cref="GetResponseAsync"/>.</param>
    /// <param name="options">As for <see cref="GetResponseAsync"/>.</param>
    /// <param name="cancellationToken">Breaks the answer off.</param>
    /// <returns>Pieces; the last one has the tokens it took.</returns>
    public async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
        IEnumerable<Microsoft.Extensions.AI.ChatMessage> messages,
        ChatOptions? options = null,
        [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(messages);
        var tools = ChatRequestMapping.Tools(options);
        if (tools is not null && !_served.TakesTools)
            throw new NotSupportedException("The model's chat template has no place for tools.");
        var conversation = ChatRequestMapping.Conversation(messages, options, tools);
        var model = options?.ModelId ?? _adapter;
        using var stream = _served.Start(
            new TextRequest
            {
                Prompt = _served.PromptOf(conversation),
                Model = model,
                Options = ChatRequestMapping.Options(options, _served.Model.Source.Sampling),
                StopTexts = [.. options?.StopSequences ?? []],
                IsTrimmed = !_served.HasTemplate,
            },
            cancellationToken);
        var reader = new ToolCallReader(tools is null ? null : _served.ToolCalls);
        var id = $"chatcmpl-{Guid.NewGuid():N}";
        await foreach (var piece in stream.ReadAsync(cancellationToken).ConfigureAwait(false))
        {
            var text = reader.Append(piece.Text);
            if (text.Length > 0)
                yield return Update([new TextContent(text)]);
        }

        var (calls, rest) = reader.End();
        var last = new List<AIContent>();
        if (rest.Length > 0)
            last.Add(new TextContent(rest));
        last.AddRange(calls.Select(static call => new FunctionCallContent(
            $"call_{Guid.NewGuid():N}",
            call.Name,
            JsonSerializer.Deserialize<Dictionary<string, object?>>(call.Arguments))));
        last.Add(new UsageContent(new UsageDetails
        {
            InputTokenCount = stream.PromptTokens,
            OutputTokenCount = stream.AnswerTokens,
            TotalTokenCount = stream.PromptTokens + stream.AnswerTokens,
        }));
        var end = Update(last);
        end.FinishReason = calls.Count > 0 ? ChatFinishReason.ToolCalls
            : stream.FinishReason == FinishReason.EndOfText ? ChatFinishReason.Stop : ChatFinishReason.Length;
        yield return end;

        ChatResponseUpdate Update(List<AIContent> contents) => new(ChatRole.Assistant, contents)
        {
            ResponseId = id,
            MessageId = id,
            ModelId = model ?? _served.Name,
        };
    }

    /// <summary>Hands out what the client is made of: itself, the served model, and what it is called.</summary>
    /// <param name="serviceType">The type that is wanted.</param>
    /// <param name="serviceKey">Anything but null finds nothing.</param>
    /// <returns>The object, or null.</returns>
    public object? GetService(Type serviceType, object? serviceKey = null)
    {
        ArgumentNullException.ThrowIfNull(serviceType);
        if (serviceKey is not null)
            return null;
        if (serviceType == typeof(ChatClientMetadata))
            return new ChatClientMetadata(Provider, null, _adapter ?? _served.Name);
        return serviceType.IsInstanceOfType(this) ? this : serviceType.IsInstanceOfType(_served) ? _served : null;
    }

    /// <summary>Leaves the model open: it is the caller's.</summary>
    public void Dispose()
    {
    }
}
