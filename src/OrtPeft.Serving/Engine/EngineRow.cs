using Microsoft.ML.OnnxRuntime;

namespace OrtPeft.Serving.Engine;

/// <summary>One sequence in the engine: its tokens and, until it joins a batch, its own cache.</summary>
/// <param name="slot">The adapter that it computes with.</param>
/// <param name="prompt">The first tokens.</param>
internal sealed class EngineRow(int slot, IEnumerable<long> prompt) : IDisposable
{
    /// <summary>The adapter that it computes with.</summary>
    public int Slot => slot;

    /// <summary>Prompt and answer so far, the last one not yet run.</summary>
    public List<long> Ids { get; } = [.. prompt];

    /// <summary>How many of <see cref="Ids"/> caches hold.</summary>
    public int Cached { get; set; }

    /// <summary>The caches of this row alone; empty before the first run, in a batch, and without a cache.</summary>
    public OrtValue[] Own { get; private set; } = [];

    /// <summary>Replaces the row's own caches.</summary>
    public void Keep(OrtValue[] caches)
    {
        foreach (var value in Own)
            value.Dispose();
        Own = caches;
    }

    /// <inheritdoc/>
    public void Dispose() => Keep([]);
}
