using Microsoft.Extensions.AI;

namespace OrtPeft.Serving.Chat;

/// <summary>
/// A served model as a generator of embeddings. <see cref="EmbeddingGenerationOptions.ModelId"/> names the adapter of a request;
/// without it the model alone computes. Requests of any adapters share the model's session, with the answers of an <see
/// cref="OrtPeftChatClient"/> over the same model too. It does not own the model, and may be used from several threads at once.
/// </summary>
public sealed class OrtPeftEmbeddingGenerator : IEmbeddingGenerator<string, Embedding<float>>
{
    private readonly ServedModel _served;
    private readonly string? _adapter;

    /// <summary>Makes a generator.</summary>
    /// <param name="served">The model; it must live as long as the generator.</param>
    /// <param name="adapter">The adapter of requests that name none; null (the default) for the model alone.</param>
    /// <exception cref="NotSupportedException">The model gives no embeddings; the message says what it lacks.</exception>
    public OrtPeftEmbeddingGenerator(ServedModel served, string? adapter = null)
    {
        ArgumentNullException.ThrowIfNull(served);
        if (served.WhyNoEmbeddings is { } why)
            throw new NotSupportedException(why);
        (_served, _adapter) = (served, adapter);
    }

    /// <summary>Computes the embeddings of texts.</summary>
    /// <param name="values">The texts.</param>
    /// <param name="options">The adapter, and how many numbers are wanted; all when left out.</param>
    /// <param name="cancellationToken">Breaks it off.</param>
    /// <returns>An embedding for each text, in their order, and the tokens they took.</returns>
    /// <exception cref="UnknownModelException">There is no such adapter.</exception>
    /// <exception cref="QueueFullException">Too many requests wait already.</exception>
    /// <exception cref="ArgumentException">A text is longer than the model allows, or more numbers are wanted than there
    /// are.</exception>
    public async Task<GeneratedEmbeddings<Embedding<float>>> GenerateAsync(
        IEnumerable<string> values,
        EmbeddingGenerationOptions? options = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(values);
        var model = options?.ModelId ?? _adapter;
        var found = new GeneratedEmbeddings<Embedding<float>>();
        var tokens = 0;
        foreach (var value in values)
        {
            var ids = _served.EmbeddedOf(value);
            var vector = await _served.EmbedAsync(model, ids, options?.Dimensions, cancellationToken).ConfigureAwait(false);
            found.Add(new Embedding<float>(vector) { ModelId = model ?? _served.Name });
            tokens += ids.Count;
        }

        found.Usage = new UsageDetails { InputTokenCount = tokens, TotalTokenCount = tokens };
        return found;
    }

    /// <summary>Hands out what the generator is made of: itself, the served model, and what it is called.</summary>
    /// <param name="serviceType">The type that is wanted.</param>
    /// <param name="serviceKey">Anything but null finds nothing.</param>
    /// <returns>The object, or null.</returns>
    public object? GetService(Type serviceType, object? serviceKey = null)
    {
        ArgumentNullException.ThrowIfNull(serviceType);
        if (serviceKey is not null)
            return null;
        if (serviceType == typeof(EmbeddingGeneratorMetadata))
        {
            return new EmbeddingGeneratorMetadata(
                OrtPeftChatClient.Provider, null, _adapter ?? _served.Name, _served.EmbeddingWidth);
        }

        return serviceType.IsInstanceOfType(this) ? this : serviceType.IsInstanceOfType(_served) ? _served : null;
    }

    /// <summary>Leaves the model open: it is the caller's.</summary>
    public void Dispose()
    {
    }
}
