using Microsoft.ML.OnnxRuntime;

namespace OnDevice.Switching;

/// <summary>
/// A base model and LoRA adapters by name, in one session of ONNX Runtime: what <c>ortpeft export --format onnx-adapter</c>
/// writes. Runs may overlap; loading and unloading may not.
/// </summary>
internal sealed class LoraModel : IDisposable
{
    private readonly InferenceSession _session;
    private readonly Dictionary<string, OrtLoraAdapter> _adapters = new(StringComparer.Ordinal);

    /// <summary>Opens the folder's base; adapters are loaded one by one.</summary>
    public LoraModel(string folder) => _session = new InferenceSession(Path.Combine(folder, "model.onnx"));

    /// <summary>The names of the loaded adapters.</summary>
    public IReadOnlyCollection<string> Adapters => _adapters.Keys;

    /// <summary>Loads an <c>.onnx_adapter</c> file. Its numbers are mapped, not copied.</summary>
    public void Load(string name, string file)
    {
        if (_adapters.ContainsKey(name))
            throw new ArgumentException($"There is an adapter '{name}' already.", nameof(name));
        _adapters.Add(name, OrtLoraAdapter.Create(file, null));
    }

    /// <summary>Frees an adapter, which no run may use any more.</summary>
    public void Unload(string name)
    {
        if (_adapters.Remove(name, out var adapter))
            adapter.Dispose();
    }

    /// <summary>The likeliest token after others.</summary>
    /// <param name="tokens">The tokens so far.</param>
    /// <param name="adapter">The name of a loaded adapter; null for the base.</param>
    public long Next(IReadOnlyList<long> tokens, string? adapter)
    {
        using var options = new RunOptions();
        if (adapter is not null)
            options.AddActiveLoraAdapter(_adapters[adapter]);
        var feeds = Feeds(tokens);
        try
        {
            using var outputs = _session.Run(options, feeds, ["logits"]);
            var logits = outputs[0].GetTensorDataAsSpan<float>();
            var last = logits[^(int)outputs[0].GetTensorTypeAndShape().Shape[^1]..];
            var best = 0;
            for (var token = 1; token < last.Length; token++)
                best = last[token] > last[best] ? token : best;
            return best;
        }
        finally
        {
            foreach (var value in feeds.Values)
                value.Dispose();
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _session.Dispose();
        foreach (var adapter in _adapters.Values)
            adapter.Dispose();
    }

    /// <summary>Whole texts without a cache: an app that generates long ones feeds keys and values back.</summary>
    private Dictionary<string, OrtValue> Feeds(IReadOnlyList<long> tokens)
    {
        var feeds = new Dictionary<string, OrtValue>();
        foreach (var (name, input) in _session.InputMetadata)
        {
            feeds[name] = name switch
            {
                "input_ids" => Whole([.. tokens]),
                "attention_mask" => Whole([.. Enumerable.Repeat(1L, tokens.Count)]),
                "position_ids" => Whole([.. Enumerable.Range(0, tokens.Count).Select(static i => (long)i)]),
                _ when name.StartsWith("past_key_values.", StringComparison.Ordinal) => OrtValue.CreateAllocatedTensorValue(
                    OrtAllocator.DefaultInstance,
                    input.ElementDataType,
                    [1, input.Dimensions[1], 0, input.Dimensions[3]]),
                _ => throw new NotSupportedException($"The model asks for '{name}', which this sample does not have."),
            };
        }

        return feeds;

        OrtValue Whole(long[] values) => OrtValue.CreateTensorValueFromMemory(values, [1, values.Length]);
    }
}
