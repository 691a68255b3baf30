using System.Collections.Immutable;
using Microsoft.ML.OnnxRuntime;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Decoders;
using OrtPeft.Onnx.Passes;
using OrtPeft.Runtime.Feeding;
using OrtPeft.Runtime.Sessions;
using OrtPeft.Tensors;

namespace OrtPeft.Inference.Generation;

/// <summary>
/// Generates tokens with a decoder under Optimum's names: <c>input_ids</c>, and where the graph has them
/// <c>attention_mask</c>, <c>position_ids</c> and caches, to <c>logits [1, sequence, vocabulary]</c> and the grown
/// caches. One sequence at a time per run; runs may go on in several threads at once. With caches a step costs one
/// token; a graph without them gives the same tokens, but every step runs the whole sequence again. A graph of a fixed
/// length runs all of it at every step, padded on the right, and holds no more tokens than that.
/// </summary>
public sealed class Generator : IDisposable
{
    private readonly ModelSession _session;
    private readonly int? _vocabularySize;
    private bool _disposed;

    private Generator(Form form, RuntimeOptions options)
    {
        Inputs = form.Inputs;
        Presents = form.Presents;
        Window = form.Window;
        var graph = form.Model.Graph;
        _vocabularySize = LogitRows.WidthOf(graph);
        _session = ModelSession.Open(QuantizedModel.For(form.Model, options), options);
        CacheMemory = OrtMemoryInfo.DefaultInstance;
        try
        {
            PaddingCheck.Run(graph, Logits, Inputs, Window);
            if (!HasCache)
                LaterTokenCheck.Run(graph, Logits, Inputs, Window);
            if (options.DeviceMemory is { } memory)
                CacheMemory = new OrtMemoryInfo(memory, OrtAllocatorType.DeviceAllocator, 0, OrtMemType.Default);
        }
        catch
        {
            _session.Dispose();
            throw;
        }
    }

    /// <summary>
    /// Whether the graph takes and gives keys and values, so that a new token costs one token's work and not the whole
    /// sequence's.
    /// </summary>
    public bool HasCache => !Presents.IsEmpty;

    /// <summary>The tokens that the graph takes at most, as its axes say; null where they set no limit.</summary>
    public int? FixedLength => Window.Length;

    /// <summary>How the graph is fed.</summary>
    internal DecoderInputs Inputs { get; }

    /// <summary>The rows and columns of each run.</summary>
    internal TokenWindow Window { get; }

    /// <summary>The outputs that become <see cref="DecoderInputs.Pasts"/>, in that order; empty without a
    /// cache.</summary>
    internal ImmutableArray<string> Presents { get; }

    /// <summary>Where caches stay between steps: on the device that reads them.</summary>
    internal OrtMemoryInfo CacheMemory { get; }

    internal InferenceSession Session
    {
        get
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            return _session.Session;
        }
    }

    /// <summary>Opens a session of a model for generation.</summary>
    /// <param name="model">A decoder; its weights must not change while the generator lives.</param>
    /// <param name="options">How to run it; the CPU with all cores when left out.</param>
    /// <returns>The generator; dispose it to free the session.</returns>
    /// <exception cref="GraphException">The graph is not such a decoder: <c>input_ids</c> or <c>logits</c> is missing,
    /// an
    /// input cannot be fed, later tokens or what fills a fixed length change the logits before them, or ONNX Runtime
    /// refuses a node.</exception>
    /// <exception cref="UnsupportedOpException">A node blows constants up beyond <see cref="ConstantSizes"/>' limits.
    /// </exception>
    public static Generator Open(Model model, RuntimeOptions? options = null)
    {
        return new Generator(Checked(model), options ?? new RuntimeOptions());
    }

    /// <summary>
    /// Whether a model generates, as far as its graph tells. A session is opened only where its length is fixed.
    /// </summary>
    /// <param name="model">The model.</param>
    /// <returns>Why it does not and what to do, or null.</returns>
    public static string? WhyNot(Model model)
    {
        try
        {
            var form = Checked(model);
            if (form.Window.Length is not null)
                new Generator(form, new RuntimeOptions { Prepacking = false }).Dispose();
            return null;
        }
        catch (Exception e) when (e is GraphException or UnsupportedOpException)
        {
            return e.Message;
        }
    }

    private static Form Checked(Model model)
    {
        ArgumentNullException.ThrowIfNull(model);
        model = OwnLoss.Without(DecoderNaming.Named(model));
        var graph = model.Graph;
        var inferred = model.Clone();
        ConstantSizes.Run(inferred);
        var inputs = DecoderInputs.Of(graph);
        LogitRows.Check(inferred.Graph);
        var window = TokenWindow.Of(graph);
        return new Form(model, inputs, CachePairs.Carried(graph, inputs.Pasts, window), window);
    }

    /// <summary>Prepares a continuation of a prompt; tokens are computed one by one while the result is
    /// enumerated.</summary>
    /// <param name="prompt">The tokens so far, at least one; copied.</param>
    /// <param name="options">How to choose tokens and when to stop; greedy, 50 tokens when left out.</param>
    /// <param name="cancellationToken">Ends the enumeration between two tokens with an
    /// <see cref="OperationCanceledException"/>.</param>
    /// <returns>The new tokens, without the prompt.</returns>
    /// <exception cref="ArgumentException">The prompt is empty, longer than the context or has a token that the model
    /// lacks; or an option leaves its range.</exception>
    public TokenSequence Generate(
        IReadOnlyList<int> prompt, GenerationOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(prompt);
        ObjectDisposedException.ThrowIf(_disposed, this);
        options ??= new GenerationOptions();
        options.Validate();
        if (prompt.Count == 0)
            throw new SettingException("The prompt holds no token; at least one is needed.");
        options = options with { ContextLength = ((int?[])[options.ContextLength, FixedLength]).Min() };
        if (prompt.Count > options.ContextLength)
        {
            throw new SettingException(
                $"The prompt has {prompt.Count} tokens; the model's context holds {options.ContextLength}.");
        }

        foreach (var (index, token) in prompt.Index())
        {
            if (token < 0 || token >= _vocabularySize)
            {
                throw new SettingException(
                    $"Token {index} of the prompt is {token}; the model's vocabulary is 0..{_vocabularySize - 1}. "
                    + "Does the tokenizer belong to the model?");
            }
        }

        return new TokenSequence(this, [.. prompt], options, cancellationToken);
    }

    private OrtValue Logits(DecoderFeeds feeds)
    {
        using var options = new RunOptions();
        return _session.Session.Run(options, feeds.Values, [DecoderNames.Logits])[0];
    }

    /// <summary>Frees the session; sequences being enumerated must have ended.</summary>
    public void Dispose()
    {
        if (_disposed)
            return;
        _disposed = true;
        _session.Dispose();
        if (CacheMemory != OrtMemoryInfo.DefaultInstance)
            CacheMemory.Dispose();
    }

    /// <summary>A model under Optimum's names, and how it is run.</summary>
    private sealed record Form(
        Model Model, DecoderInputs Inputs, ImmutableArray<string> Presents, TokenWindow Window);
}
