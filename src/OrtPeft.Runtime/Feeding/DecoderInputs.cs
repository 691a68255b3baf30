using System.Collections.Immutable;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Decoders;
using OrtPeft.Onnx.Passes;
using OrtPeft.Tensors;

namespace OrtPeft.Runtime.Feeding;

/// <summary>
/// The inputs of a decoder graph under Optimum's names, and how to fill them: <c>input_ids</c>, <c>attention_mask</c>,
/// <c>position_ids</c>, caches and a merged decoder's <c>use_cache_branch</c>, each only where the graph has it and
/// with the element type it states (int64, int32, float32 or bool). Immutable and thread-safe.
/// </summary>
internal sealed class DecoderInputs
{
    /// <summary>
    /// The name of a merged decoder's choice of branch, <c>[1] bool</c>: whether the caches hold anything.
    /// </summary>
    public const string Switch = MergedDecoder.Switch;

    private static readonly string[] Names =
        [DecoderNames.Ids, DecoderNames.Mask, DecoderNames.Positions, DecoderNames.Labels, Switch];

    private readonly ImmutableArray<Value> _numbers;
    private readonly ImmutableHashSet<Value> _states;

    private DecoderInputs(ImmutableArray<Value> numbers, ImmutableArray<Value> pasts)
    {
        _numbers = numbers;
        Pasts = pasts;
        _states = [.. pasts.Where(CacheInputs.IsState)];
    }

    /// <summary>
    /// The cache inputs in the graph's order: <c>[batch, heads, past, head_dim]</c> per key and value, or stacked
    /// <c>[2, batch, heads, past, head_dim]</c> per layer, and states of a fixed size, which begin as zeros; float32 or
    /// float16.
    /// </summary>
    public ImmutableArray<Value> Pasts { get; }

    /// <summary>Sorts a graph's inputs by what they take.</summary>
    /// <param name="graph">The decoder graph; inputs with a default value, and unknown ones that nothing reads, need not be
    /// fed and are passed over.</param>
    /// <param name="fedByCaller">Inputs that the caller adds to the feeds itself, such as labels; none when left
    /// out.</param>
    /// <returns>The inputs.</returns>
    /// <exception cref="GraphException"><c>input_ids</c> is missing, or an input is unknown or of a type or number of
    /// axes that cannot be fed; the message names it.</exception>
    public static DecoderInputs Of(Graph graph, IReadOnlySet<string>? fedByCaller = null)
    {
        ArgumentNullException.ThrowIfNull(graph);
        var inputs = graph.Inputs
            .Where(i => i.Initializer is null && fedByCaller?.Contains(i.Name) != true)
            .ToLookup(static i => Names.Contains(i.Name) || SharedInputs.Contain(i));
        var pasts = inputs[false].Where(static i => CacheInputs.IsPast(i) || CacheInputs.IsState(i)).ToImmutableArray();
        if (inputs[false].Except(pasts).FirstOrDefault(static i => !RowInputs.IsUnread(i)) is { } unknown)
            throw Unknown(graph, unknown);
        var numbers = inputs[true].ToImmutableArray();
        foreach (var input in numbers)
            CheckNumbers(graph, input);
        foreach (var past in pasts.Where(static p => !CacheInputs.IsState(p)))
            CheckPast(graph, past);
        if (numbers.All(static i => i.Name != DecoderNames.Ids))
        {
            throw new GraphException(
                $"Graph '{graph.Name}' has no input '{DecoderNames.Ids}'; Optimum's names are expected.");
        }

        return new DecoderInputs(numbers, pasts);
    }

    /// <summary>Fills the inputs for rows of tokens, padded to one length.</summary>
    /// <param name="ids">The tokens that are run, <c>[rows, columns]</c>, row-major.</param>
    /// <param name="rows">The number of sequences, 1 or more.</param>
    /// <param name="pastLength">Tokens per row whose keys and values are cached. At 0 (default) empty caches are fed;
    /// at more the caller adds the caches.</param>
    /// <param name="mask">1 where a token counts and 0 at padding, <c>[rows, pastLength + columns]</c>; all 1 when left
    /// out. Kept until the feeds are disposed, as are the other arrays.</param>
    /// <param name="positions">The tokens' places, <c>[rows, columns]</c>; when left out, every row counts up from
    /// <paramref name="pastLength"/>.</param>
    /// <returns>The feeds; the caller disposes them after the run.</returns>
    /// <exception cref="ArgumentException">An array's length does not match rows and columns.</exception>
    public DecoderFeeds Feed(
        long[] ids, int rows = 1, int pastLength = 0, long[]? mask = null, long[]? positions = null)
    {
        ArgumentNullException.ThrowIfNull(ids);
        ArgumentOutOfRangeException.ThrowIfLessThan(rows, 1);
        ArgumentOutOfRangeException.ThrowIfNegative(pastLength);
        if (ids.Length == 0 || ids.Length % rows != 0)
            throw new ArgumentException($"{ids.Length} ids do not make {rows} rows of one length.", nameof(ids));
        var columns = ids.Length / rows;
        var total = checked(pastLength + columns);
        CheckLength(mask, rows, total, nameof(mask));
        CheckLength(positions, rows, columns, nameof(positions));

        var feeds = new DecoderFeeds();
        try
        {
            foreach (var input in _numbers)
                feeds.Add(input.Name, ValueOf(input));
            foreach (var past in pastLength == 0 ? Pasts : [])
                feeds.Add(past.Name, EmptyPast(past, rows));
            return feeds;
        }
        catch
        {
            feeds.Dispose();
            throw;
        }

        OrtValue ValueOf(Value input) => input.Name switch
        {
            DecoderNames.Ids or DecoderNames.Labels => IntegerFeed.Of(input.Type, ids, rows, columns),
            DecoderNames.Mask => MaskFeed.Of(input, mask ?? Ones(FeedSize.Of(rows, total)), rows, columns),
            Switch => IntegerFeed.Of(input.Type, [pastLength > 0 ? 1 : 0], OneElement(input)),
            _ when SharedInputs.Contain(input) => Shared(input, pastLength, columns),
            DecoderNames.Positions =>
                IntegerFeed.Of(input.Type, positions ?? CountUp(pastLength, rows, columns), rows, columns),
            _ => throw new InvalidOperationException($"Bug: nothing feeds {input}."),
        };
    }

    /// <summary>The value of an input that all rows share; 0 logits are all of them.</summary>
    private static OrtValue Shared(Value input, int pastLength, int columns)
    {
        if (SharedInputs.ArePlaces(input))
            return IntegerFeed.Of(input.Type, CountUp(pastLength, 1, columns), columns);
        var number = SharedInputs.IsPastLength(input) ? pastLength
            : SharedInputs.IsTotalLength(input) ? pastLength + columns
            : 0;
        return IntegerFeed.Of(input.Type, [number], OneElement(input));
    }

    private OrtValue EmptyPast(Value past, int rows)
    {
        var isState = _states.Contains(past);
        var dims = past.Shape!.Select(d => d.Value ?? (isState ? rows : 0)).ToArray();
        if (!isState)
            (dims[^4], dims[^2]) = (rows, 0);
        var value = OrtValue.CreateAllocatedTensorValue(
            OrtAllocator.DefaultInstance, (TensorElementType)(int)past.Type, dims);
        if (isState)
            value.GetTensorMutableRawData().Clear();
        return value;
    }

    private static long[] OneElement(Value input) => input.Shape?.Rank == 0 ? [] : [1];

    private static long[] Ones(int count)
    {
        var ones = new long[count];
        Array.Fill(ones, 1);
        return ones;
    }

    private static long[] CountUp(int start, int rows, int columns)
    {
        var positions = new long[FeedSize.Of(rows, columns)];
        for (var i = 0; i < positions.Length; i++)
            positions[i] = start + (i % columns);
        return positions;
    }

    private static void CheckLength(long[]? numbers, int rows, int columns, string name)
    {
        if (numbers is not null && numbers.Length != (long)rows * columns)
            throw new ArgumentException($"{numbers.Length} numbers; [{rows}, {columns}] takes {(long)rows * columns}.", name);
    }

    private static void CheckNumbers(Graph graph, Value input)
    {
        if (input.Name == Switch && input is { Type: ElementType.Bool, Shape: null or { Rank: <= 1 } })
            return;
        if (SharedInputs.Contain(input)
            || (input is { Name: DecoderNames.Mask, Shape.Rank: 3 or 4 } && IntegerFeed.Supports(input.Type)))
            return;
        if (!IntegerFeed.Supports(input.Type) || input.Shape is { Rank: not 2 })
        {
            throw new GraphException(
                $"Graph '{graph.Name}': input {input} must have two axes and be int64, int32, float32 or bool; export the model with such an input.");
        }
    }

    /// <summary>All axes but batch and past must be known to make an empty cache.</summary>
    private static void CheckPast(Graph graph, Value past)
    {
        var rank = past.Shape!.Rank;
        for (var axis = 0; axis < rank; axis++)
        {
            if (axis != rank - 4 && axis != rank - 2 && past.Shape[axis].Value is null)
            {
                throw new GraphException(
                    $"Graph '{graph.Name}': axis {axis} of cache input {past} must be a number (heads and head_dim).");
            }
        }
    }

    private static GraphException Unknown(Graph graph, Value input) => new(
        $"Graph '{graph.Name}': OrtPeft cannot feed input {input}. It feeds {string.Join(", ", Names)} and "
        + "floating-point caches of four or five axes named past_key_values.N.key/value or past_N; "
        + "export the model without other inputs.");
}
