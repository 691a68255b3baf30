using System.Collections.Immutable;
using Microsoft.ML.OnnxRuntime;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Decoders;
using OrtPeft.Onnx.Passes;
using OrtPeft.Runtime.Feeding;
using OrtPeft.Runtime.Sessions;

namespace OrtPeft.Inference.Generation;

/// <summary>
/// Generates tokens with a decoder under Optimum's names: <c>input_ids</c>, and where the graph has them
/// <c>attention_mask</c>, <c>position_ids</c> and caches, to <c>logits [1, sequence, vocabulary]</c> and the grown
/// caches. One sequence at a time per run; runs may go on in several threads at once. With caches a step costs one
/// token; a graph without them gives the same tokens, but every step runs the whole sequence again.
/// </summary>
public sealed class Generator : IDisposable
{
    private readonly ModelSession _session;
    private readonly int? _vocabularySize;
    private bool _disposed;

    private Generator(Model model, DecoderInputs inputs, ImmutableArray<string> presents, RuntimeOptions options)
    {
        Inputs = inputs;
        Presents = presents;
        _vocabularySize = LogitRows.WidthOf(model.Graph);
        _session = ModelSession.Open(model, options);
        CacheMemory = options.Provider == "cuda"
            ? new OrtMemoryInfo("Cuda", OrtAllocatorType.DeviceAllocator, 0, OrtMemType.Default)
            : OrtMemoryInfo.DefaultInstance;
    }

    /// <summary>
    /// Whether the graph takes and gives keys and values, so that a new token costs one token's work and not the whole
    /// sequence's.
    /// </summary>
    public bool HasCache => !Presents.IsEmpty;

    /// <summary>How the graph is fed.</summary>
    internal DecoderInputs Inputs { get; }

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
    /// <exception cref="GraphException">The graph is no such decoder: <c>input_ids</c> or <c>logits</c> is missing, a
    /// batch of 1 or a sequence of any length is not allowed, an input cannot be fed, or ONNX Runtime refuses a
    /// node.</exception>
    /// <exception cref="UnsupportedOpException">A node blows constants up beyond <see cref="ConstantSizes"/>' limits.
    /// </exception>
    public static Generator Open(Model model, RuntimeOptions? options = null)
    {
        var (named, inputs, presents) = Checked(model);
        return new Generator(named, inputs, presents, options ?? new RuntimeOptions());
    }

    /// <summary>Whether a model generates, as far as its graph tells: no session is opened.</summary>
    /// <param name="model">The model.</param>
    /// <returns>Why it does not and what to do, or null.</returns>
    public static string? WhyNot(Model model)
    {
        try
        {
            _ = Checked(model);
            return null;
        }
        catch (Exception e) when (e is GraphException or UnsupportedOpException)
        {
            return e.Message;
        }
    }

    private static (Model Named, DecoderInputs Inputs, ImmutableArray<string> Presents) Checked(Model model)
    {
        ArgumentNullException.ThrowIfNull(model);
        model = OwnLoss.Without(DecoderNames.Named(model));
        var graph = model.Graph;
        var inferred = model.Clone();
        ConstantSizes.Run(inferred);
        var inputs = DecoderInputs.Of(graph);
        LogitRows.Check(inferred.Graph);
        var ids = graph.Find(DecoderNames.Ids)!;
        if (ids.Shape is { Rank: 2 } shape && (shape[0].Value is not (null or 1) || shape[1].Value is not null))
        {
            throw new GraphException(
                $"Graph '{graph.Name}': input {ids} has fixed axes; generation needs [1, any length]. "
                + "Export the model with dynamic axes.");
        }

        var carries = !inputs.Pasts.IsEmpty && !CountsFromZero(graph, inputs.Pasts);
        return (model, inputs, carries ? CachePairs.Of(graph, inputs.Pasts) : []);
    }

    /// <summary>
    /// Whether slots of a cache are written in place and nothing tells the graph which are next: each run must then
    /// begin with the first token.
    /// </summary>
    private static bool CountsFromZero(Graph graph, ImmutableArray<Value> pasts) =>
        pasts.Any(static p => p.Shape!.Rank >= 4 && PastRemoval.IsState(p))
        && !graph.Inputs.Any(static i => i.Uses.Count > 0
            && (RowInputs.IsCachePosition(i) || i.Name == DecoderNames.Positions));

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
}
