using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;
using OrtPeft.Tensors;

namespace OrtPeft.Serving.Engine;

/// <summary>
/// Rows that go on together, a token each per step, though their lengths differ. A mask says which keys are a row's. Rows
/// join and leave between steps; the caches are then copied anew, no longer than the longest row needs.
/// </summary>
/// <param name="runs">Runs the graph.</param>
/// <param name="endsTogether">Whether caches are padded on the left, so that all rows end at the same place; else they begin
/// at the same place, as <c>GroupQueryAttention</c> has it, which counts each row's length in the mask.</param>
internal sealed class RowBatch(DecoderRuns runs, bool endsTogether) : IDisposable
{
    private OrtValue[] _caches = [];
    private int _past;

    /// <summary>The rows, in the batch's order.</summary>
    public IReadOnlyList<EngineRow> Rows { get; private set; } = [];

    /// <summary>Whether caches are padded on the left.</summary>
    public bool EndsTogether => endsTogether;

    /// <summary>Lets rows leave and join.</summary>
    /// <param name="leaving">Rows of the batch; the caller disposes them.</param>
    /// <param name="joining">Rows whose own caches hold all tokens but the last.</param>
    public void Change(IReadOnlyCollection<EngineRow> leaving, IReadOnlyCollection<EngineRow> joining)
    {
        if (leaving.Count == 0 && joining.Count == 0)
            return;
        var sources = Rows.Select((row, index) => (Row: row, Caches: _caches, Index: index, Width: _past))
            .Where(s => !leaving.Contains(s.Row))
            .Concat(joining.Select(static row => (Row: row, Caches: row.Own, Index: 0, Width: row.Cached)))
            .ToArray();
        var past = sources.Length == 0 ? 0 : sources.Max(static s => s.Row.Cached);
        var caches = sources.Length == 0 ? [] : new OrtValue[runs.Inputs.Pasts.Length];
        for (var i = 0; i < caches.Length; i++)
            caches[i] = Gathered(i, past, sources);
        foreach (var row in joining)
            row.Keep([]);
        Free();
        (_caches, _past, Rows) = (caches, past, [.. sources.Select(static s => s.Row)]);
    }

    /// <summary>Runs the last token of each row.</summary>
    /// <returns>The logits, one position per row; the caller disposes them.</returns>
    public OrtValue Step()
    {
        var (count, columns) = (Rows.Count, _past + 1);
        var (ids, positions, mask) = (new long[count], new long[count], new long[count * columns]);
        foreach (var (i, row) in Rows.Index())
        {
            (ids[i], positions[i]) = (row.Ids[^1], row.Cached);
            var own = mask.AsSpan(i * columns, columns);
            (endsTogether ? own[(_past - row.Cached)..] : own[..(row.Cached + 1)]).Fill(1);
        }

        using var feeds = runs.Inputs.Feed(ids, count, _past, mask, positions);
        var outputs = runs.Run(feeds, _caches, [.. Rows.Select(static r => (long)r.Slot)]);
        Free();
        (_caches, _past) = (outputs[1..], columns);
        foreach (var row in Rows)
            row.Cached++;
        return outputs[0];
    }

    /// <summary>Gives every row its own caches back, and lets all leave.</summary>
    public void Disband()
    {
        foreach (var (i, row) in Rows.Index())
        {
            var own = new OrtValue[_caches.Length];
            for (var c = 0; c < own.Length; c++)
                own[c] = Gathered(c, row.Cached, [(row, _caches, i, _past)]);
            row.Keep(own);
        }

        Clear();
    }

    /// <summary>Forgets all rows.</summary>
    public void Clear()
    {
        Free();
        (_past, Rows) = (0, []);
    }

    /// <inheritdoc/>
    public void Dispose() => Clear();

    private void Free()
    {
        foreach (var value in _caches)
            value.Dispose();
        _caches = [];
    }

    /// <summary>One cache of several rows, […, rows, heads, past, width]; places without a key are zeros.</summary>
    private OrtValue Gathered(
        int cache, int past, (EngineRow Row, OrtValue[] Caches, int Index, int Width)[] sources)
    {
        var input = runs.Inputs.Pasts[cache];
        var dims = sources[0].Caches[cache].GetTensorTypeAndShape().Shape.ToArray();
        (dims[^4], dims[^2]) = (sources.Length, past);
        var value = OrtValue.CreateAllocatedTensorValue(
            OrtAllocator.DefaultInstance, (TensorElementType)(int)input.Type, dims);
        var target = value.GetTensorMutableRawData();
        target.Clear();
        var (outer, heads) = (dims.Length == 5 ? (int)dims[0] : 1, (int)dims[^3]);
        var size = (int)dims[^1] * (input.Type.BitSize() / 8);
        foreach (var (to, (row, caches, from, width)) in sources.Index())
        {
            var source = caches[cache].GetTensorMutableRawData();
            var rows = (int)caches[cache].GetTensorTypeAndShape().Shape[^4];
            for (var block = 0; block < outer * heads; block++)
            {
                var (o, head) = (block / heads, block % heads);
                var first = (((((o * rows) + from) * heads) + head) * width) + (endsTogether ? width - row.Cached : 0);
                var place = (((((o * sources.Length) + to) * heads) + head) * past) + (endsTogether ? past - row.Cached : 0);
                source.Slice(checked(first * size), row.Cached * size).CopyTo(target[checked(place * size)..]);
            }
        }

        return value;
    }
}
