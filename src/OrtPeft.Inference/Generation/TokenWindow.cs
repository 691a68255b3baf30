using OrtPeft.Onnx;
using OrtPeft.Onnx.Decoders;
using OrtPeft.Runtime.Feeding;

namespace OrtPeft.Inference.Generation;

/// <summary>
/// The rows and columns of tokens that each run of a graph takes. A fixed batch is filled with copies of the one
/// sequence; a fixed length is filled up on the right, and the logits are those of the last token before the padding.
/// Immutable.
/// </summary>
/// <param name="Rows">Rows of every run, 1 or more.</param>
/// <param name="Length">Columns of every run, 2 or more, or null where any number goes.</param>
internal sealed record TokenWindow(int Rows, int? Length)
{
    /// <summary>Reads the axes of the tokens.</summary>
    /// <exception cref="GraphException">One token is all that the graph takes, or an axis is out of range.</exception>
    public static TokenWindow Of(Graph graph)
    {
        var ids = graph.Find(DecoderNames.Ids)!;
        if (ids.Shape is not { Rank: 2 } shape)
            return new TokenWindow(1, null);
        var (rows, length) = (shape[0].ToCount() ?? 1, shape[1].ToCount());
        if (length < 2)
        {
            throw new GraphException(
                $"Graph '{graph.Name}': input {ids} has fixed axes that hold no text; generation needs [1, any length], "
                + "or a fixed length of 2 or more. Export the model with dynamic axes.");
        }

        return new TokenWindow(rows, length);
    }

    /// <summary>Fills a graph's inputs for one run.</summary>
    /// <param name="inputs">How the graph is fed.</param>
    /// <param name="tokens">The tokens to run, no more than <see cref="Length"/>.</param>
    /// <param name="pastLength">Tokens before them that caches hold; 0 in a fixed length.</param>
    /// <param name="padding">The token to fill a fixed length up with; the last one when left out.</param>
    public DecoderFeeds Feed(DecoderInputs inputs, long[] tokens, int pastLength, long? padding = null)
    {
        var columns = Length ?? tokens.Length;
        var ids = new long[FeedSize.Of(Rows, columns)];
        var mask = Length is null ? null : new long[ids.Length];
        Array.Fill(ids, padding ?? tokens[^1]);
        for (var row = 0; row < Rows; row++)
        {
            tokens.CopyTo(ids, row * columns);
            mask?.AsSpan(row * columns, tokens.Length).Fill(1);
        }

        return inputs.Feed(ids, Rows, pastLength, mask);
    }

    /// <summary>The logits after the last token, whichever of rows and columns comes first in them.</summary>
    /// <param name="logits">What a run gave.</param>
    /// <param name="tokens">How many tokens were run, without padding.</param>
    public ReadOnlySpan<float> Last(LogitRows logits, int tokens)
    {
        if (Length is not { } columns)
            return logits[logits.Count - 1];
        // Rows are alike, so any will do: this one has its place in both orders where there are as many as columns.
        var (place, row) = (tokens - 1, Math.Min(tokens - 1, Rows - 1));
        return logits[logits.First == Rows ? (row * columns) + place : (place * Rows) + row];
    }
}
