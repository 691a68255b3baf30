using System.Diagnostics.CodeAnalysis;
using OrtPeft.Adapters;
using OrtPeft.Adapters.Merging;
using OrtPeft.Adapters.Several;
using OrtPeft.Inference;
using OrtPeft.Inference.Generation;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Passes;
using OrtPeft.Serving.Embeddings;
using OrtPeft.Serving.Engine;
using OrtPeft.Serving.Texts;
using OrtPeft.Tensors;
using OrtPeft.Text;
using OrtPeft.Tokenizers;
using OrtPeft.Tokenizers.Chat;

namespace OrtPeft.Serving;

/// <summary>
/// A base model and LoRA adapters by name, in one session with one copy of the weights. Requests for any of them are computed
/// in one batch, which they join and leave between tokens. May be used from several threads at once; dispose it to free the
/// session.
/// </summary>
public sealed class ServedModel : IDisposable
{
    private readonly TextModel _model;
    private readonly LoraSlots _slots;
    private readonly BatchEngine _engine;
    private readonly Lock _lock = new();
    private readonly OrderedDictionary<string, EngineSlot> _adapters = new(StringComparer.Ordinal);
    private readonly TextPooling? _pooling;
    private readonly bool _allowsLoading;

    private ServedModel(
        string name, TextModel model, LoraSlots slots, BatchEngine engine, TextPooling? pooling, bool allowsLoading)
    {
        (Name, _model, _slots, _engine, _pooling, _allowsLoading) = (name, model, slots, engine, pooling, allowsLoading);
    }

    /// <summary>The name of the model without an adapter.</summary>
    public string Name { get; }

    /// <summary>The adapters' names, in the order in which they were loaded.</summary>
    public IReadOnlyList<string> Adapters
    {
        get
        {
            lock (_lock)
                return [.. _adapters.Keys];
        }
    }

    /// <summary>Why requests are computed one after the other, as where the graph has no cache; null where they go
    /// together.</summary>
    public string? WhyAlone => _engine.WhyAlone;

    /// <summary>Why the model gives no embeddings, as where its folder does not say how hidden states are pooled; null where
    /// it gives them.</summary>
    public string? WhyNoEmbeddings { get; private init; }

    /// <summary>Why the model gives no answers, as where it has no head; null where it gives them.</summary>
    public string? WhyNoAnswers => _engine.HasLogits
        ? null
        : "The model has no head that would choose tokens; it gives embeddings alone.";

    /// <summary>The numbers of an embedding; 0 where the model gives none.</summary>
    public int EmbeddingWidth => WhyNoEmbeddings is null ? _engine.EmbeddingWidth : 0;

    /// <summary>Requests that are computed now.</summary>
    public int Running => _engine.Counts.Running;

    /// <summary>Requests that wait.</summary>
    public int Waiting => _engine.Counts.Waiting;

    /// <summary>The most requests that can be computed or wait.</summary>
    internal int Capacity => _engine.Capacity;

    /// <summary>The model, its tokenizer and its chat template.</summary>
    internal TextModel Model => _model;

    /// <summary>The counts of the engine's work.</summary>
    internal EngineCounts Counts => _engine.Counts;

    /// <summary>Opens a model and its first adapters.</summary>
    /// <param name="model">The model.</param>
    /// <param name="adapters">Adapters' folders by name; LoRA of linear layers.</param>
    /// <param name="options">Limits; the defaults when left out.</param>
    /// <param name="name">What the model without an adapter is called; its folder's name when left out.</param>
    /// <returns>The served model.</returns>
    /// <exception cref="ConfigException">An adapter does not fit, or is more than LoRA of linear layers; the message names
    /// the way that works.</exception>
    /// <exception cref="GraphException">The graph is not a decoder, nor one for embeddings.</exception>
    [SuppressMessage("Reliability", "CA2000", Justification = "The served model owns the engine.")]
    public static ServedModel Open(
        TextModel model,
        IReadOnlyDictionary<string, string>? adapters = null,
        ServingOptions? options = null,
        string? name = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        adapters ??= new Dictionary<string, string>();
        options ??= new ServingOptions();
        options.Validate();
        name ??= Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(model.Source.Folder)));
        CheckName(name);
        foreach (var adapter in adapters.Keys)
            CheckName(adapter);
        if (adapters.ContainsKey(name))
            throw new SettingException($"'{name}' is the model's own name; give the adapter another one.");
        var pooling = TextPooling.TryLoad(model.Source.Folder, out var whyNot);
        var graph = model.Source.Model.Graph;
        var isHeadless = HiddenStates.AreAllOf(graph);
        if (isHeadless && pooling is null)
            throw new GraphException($"Graph '{graph.Name}' has no logits. {whyNot}");
        var decoder = isHeadless
            ? HiddenStates.OfOneType(model.Source.Model)
            : OwnLoss.Without(DecoderNaming.Named(model.Source.Model));
        ConstantSizes.Run(decoder.Clone());
        var (slots, factors) = LoraSlots.Of(
            decoder, canonical => [.. adapters.Select(a => Read(canonical, a.Key, a.Value, model.Warn))], options.AllowsLoading);
        var engine = BatchEngine.Open(slots, options, pooling);
        try
        {
            var served = new ServedModel(name, model, slots, engine, pooling, options.AllowsLoading)
            {
                WhyNoEmbeddings = whyNot
                    ?? (engine.WhyNoEmbeddings is { } why ? $"The model gives no embeddings: {why}." : null),
            };
            if (served is { WhyNoAnswers: not null, WhyNoEmbeddings: { } none })
                throw new GraphException($"Graph '{decoder.Graph.Name}' has no logits. {none}");
            if (served.WhyNoEmbeddings is { } reason && TextPooling.IsDescribedIn(model.Source.Folder))
                model.Warn(reason);
            foreach (var (adapter, content) in adapters.Keys.Zip(factors))
                served._adapters[adapter] = engine.Add(content).GetAwaiter().GetResult();
            return served;
        }
        catch
        {
            engine.Dispose();
            throw;
        }
    }

    /// <summary>Loads an adapter while requests go on.</summary>
    /// <param name="name">What it is called: letters, digits and <c>-_.:/</c>.</param>
    /// <param name="folder">Its folder.</param>
    /// <exception cref="ConfigException">It does not fit, or is more than LoRA of linear layers.</exception>
    /// <exception cref="ArgumentException">The name is taken or no name, or the model was not opened with <see
    /// cref="ServingOptions.AllowsLoading"/>.</exception>
    public async Task LoadAdapterAsync(string name, string folder)
    {
        ArgumentNullException.ThrowIfNull(folder);
        CheckName(name);
        if (!_allowsLoading)
            throw new SettingException($"The model was opened without {nameof(ServingOptions.AllowsLoading)}.");
        RefuseTaken(name);
        var factors = _slots.FactorsOf(canonical => Read(canonical, name, folder, _model.Warn));
        var slot = await _engine.Add(factors).ConfigureAwait(false);
        var isTaken = false;
        lock (_lock)
            isTaken = name == Name || !_adapters.TryAdd(name, slot);
        if (!isTaken)
            return;
        _engine.Remove(slot);
        RefuseTaken(name);
    }

    /// <summary>Forgets an adapter; requests that compute with it go on to their end.</summary>
    /// <param name="name">The adapter.</param>
    /// <exception cref="UnknownModelException">It is not there.</exception>
    /// <exception cref="ArgumentException">It is the model itself.</exception>
    public void UnloadAdapter(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        if (name == Name)
            throw new SettingException($"'{name}' is the model itself, not an adapter, and stays.");
        lock (_lock)
        {
            if (!_adapters.Remove(name, out var slot))
                throw new UnknownModelException(name, [Name, .. _adapters.Keys]);
            _engine.Remove(slot);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _engine.Dispose();

    /// <summary>Asks for an answer.</summary>
    /// <exception cref="NotSupportedException">The model has no head.</exception>
    /// <exception cref="UnknownModelException">There is no such adapter.</exception>
    /// <exception cref="QueueFullException">Too many wait already.</exception>
    /// <exception cref="ArgumentException">The prompt does not fit, or an option leaves its range.</exception>
    [SuppressMessage("Reliability", "CA2000", Justification = "The stream owns the source.")]
    internal TextStream Start(TextRequest request, CancellationToken cancellation)
    {
        if (WhyNoAnswers is { } why)
            throw new NotSupportedException(why);
        var options = _model.WithEnds(request.Options, Context);
        options.Validate();
        Check(request.Prompt, options.ContextLength);
        var source = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        try
        {
            lock (_lock)
            {
                return new TextStream(
                    _model.Tokenizer,
                    _engine.Start(SlotOf(request.Model), request.Prompt, options, request.TopLogProbabilities, source.Token),
                    request,
                    source);
            }
        }
        catch
        {
            source.Dispose();
            throw;
        }
    }

    /// <summary>The tokens of a text whose embedding is wanted, with those that the tokenizer puts around it.</summary>
    internal IReadOnlyList<int> EmbeddedOf(string text) =>
        _model.Tokenizer.Frame.Around(_model.Tokenizer.Encode(_pooling?.Prompt + text));

    /// <summary>The embedding of tokens.</summary>
    /// <param name="adapter">The adapter's name; null for the model alone.</param>
    /// <param name="tokens">The tokens, as <see cref="EmbeddedOf"/> gives them.</param>
    /// <param name="dimensions">How many of its numbers are wanted, from the first; null for all.</param>
    /// <param name="cancellation">Breaks it off.</param>
    /// <exception cref="NotSupportedException">The model gives no embeddings.</exception>
    /// <exception cref="UnknownModelException">There is no such adapter.</exception>
    /// <exception cref="QueueFullException">Too many requests wait already.</exception>
    /// <exception cref="ArgumentException">The tokens do not fit, or there are fewer numbers.</exception>
    internal async Task<float[]> EmbedAsync(
        string? adapter, IReadOnlyList<int> tokens, int? dimensions, CancellationToken cancellation)
    {
        if (WhyNoEmbeddings is { } why)
            throw new NotSupportedException(why);
        if (dimensions < 1 || dimensions > EmbeddingWidth)
            throw new SettingException($"dimensions is {dimensions}; this model's embeddings have {EmbeddingWidth}, and 1 is the least.");
        Check(tokens, TextModel.Least(Context, _pooling!.MaxTokens));
        var pool = new HiddenPool(_pooling);
        EngineRequest request;
        lock (_lock)
        {
            request = _engine.Start(
                SlotOf(adapter), tokens, new GenerationOptions { MaxNewTokens = 1 }, likeliest: null, cancellation, pool);
        }

        await request.Tokens.Completion.WaitAsync(cancellation).ConfigureAwait(false);
        return pool.Result(dimensions);
    }

    /// <summary>The tokens that fit, prompt and answer; null where the model does not say.</summary>
    internal int? Context => TextModel.Least(_model.PositionsBeside(null), _engine.FixedLength);

    /// <summary>How the model writes calls of functions; null where its template does not tell.</summary>
    internal ToolCallForm? ToolCalls => _model.Templates.Value is { } templates
        ? ToolCallForm.Of(templates.Select(hasTools: true).Source)
        : null;

    /// <summary>Whether the model's template has a place for functions.</summary>
    internal bool TakesTools => _model.Templates.Value is { } templates
        && templates.Select(hasTools: true).Source.Contains("tools", StringComparison.Ordinal);

    /// <summary>Whether turns go through a template, and not <c>role: content</c>.</summary>
    internal bool HasTemplate => _model.Templates.Value is not null;

    /// <summary>A conversation's tokens.</summary>
    /// <exception cref="ArgumentException">There are no turns, or they cannot be written without a template.</exception>
    /// <exception cref="ChatTemplateException">The template refuses them.</exception>
    internal IReadOnlyList<int> PromptOf(ChatConversation conversation) =>
        ChatPrompt.Of(conversation, _model.Templates.Value, _model.Tokenizer).Ids;

    /// <summary>A text's tokens, with the one that texts start with.</summary>
    internal IReadOnlyList<int> PromptOf(string text)
    {
        var ids = _model.Tokenizer.WithStart(_model.Tokenizer.Encode(text));
        return ids.Count == 0 && _model.Tokenizer.EndOfTextId is { } start ? [start] : ids;
    }

    /// <summary>The bytes of a token; none where the vocabulary is padded.</summary>
    internal byte[] BytesOf(int id) => id < _model.Tokenizer.VocabularySize ? _model.Tokenizer.GetBytes(id).ToArray() : [];

    /// <summary>Whether there is a model or an adapter of a name.</summary>
    internal bool Knows(string? name)
    {
        lock (_lock)
            return name is null || name == Name || _adapters.ContainsKey(name);
    }

    /// <summary>The error of a name that is not there.</summary>
    internal UnknownModelException Unknown(string name) => new(name, [Name, .. Adapters]);

    private EngineSlot SlotOf(string? name) => name is null || name == Name
        ? _engine.Base
        : _adapters.TryGetValue(name, out var slot) ? slot : throw new UnknownModelException(name, [Name, .. _adapters.Keys]);

    private void Check(IReadOnlyList<int> prompt, int? context)
    {
        if (prompt.Count == 0)
            throw new SettingException("The prompt holds no token; at least one is needed.");
        if (prompt.Count > context)
            throw new SettingException($"The prompt has {prompt.Count} tokens; the model's context holds {context}.");
        var vocabulary = _engine.Vocabulary;
        foreach (var (index, token) in prompt.Index())
        {
            if (token < 0 || token >= vocabulary)
            {
                throw new SettingException(
                    $"Token {index} of the prompt is {token}; the model's vocabulary is 0..{vocabulary - 1}.");
            }
        }
    }

    private void RefuseTaken(string name)
    {
        if (name == Name || Adapters.Contains(name))
            throw new SettingException($"There is a model '{name}' already; unload it, or take another name.");
    }

    private static void CheckName(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        if (name.Length is 0 or > 200 || !name.All(static c => char.IsAsciiLetterOrDigit(c) || "-_.:/".Contains(c, StringComparison.Ordinal)))
            throw new SettingException($"'{name}' is not a model's name; it must be 1 to 200 letters, digits or any of -_.:/");
    }

    private static Adapter Read(Model canonical, string name, string folder, Action<string> warn)
    {
        var config = AdapterFolder.LoadConfig(folder);
        var adapter = Adapter.For(name, canonical, config, AdapterFolder.LoadWeights(folder), folder, seed: 0);
        if (adapter.Unmatched.Count > 0)
            warn($"{folder}: {string.Join("; ", adapter.Unmatched)}");
        return adapter;
    }
}
