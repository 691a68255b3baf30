namespace OrtPeft.Onnx;

/// <summary>
/// Numbers the places of a linked list in its order, so that two of them are compared without a walk. A new place gets
/// a number between its neighbours'. Where none is free, the smallest range around it that is sparse enough is numbered
/// anew, evenly: O(log n) numbers per insertion on average, wherever places are inserted.
/// </summary>
/// <typeparam name="T">The members' type.</typeparam>
/// <seealso href="https://doi.org/10.1007/3-540-45749-6_17">Bender et al., Two Simplified Algorithms for Maintaining
/// Order in a List.</seealso>
internal sealed class PlaceNumbers<T>
{
    private const int Bits = 62;
    private const long End = 1L << Bits;
    private const long Gap = 1L << 32;

    /// <summary>A range of 2ⁱ numbers is sparse enough with up to this to the power of i places: between 1 and
    /// 2.</summary>
    private const double Growth = 4.0 / 3;

    /// <summary>How many numbers have been given, new ones of old places included.</summary>
    public long Given { get; private set; }

    /// <summary>Numbers a place that has entered the list.</summary>
    public void Number(LinkedListNode<Place<T>> place)
    {
        var previous = place.Previous?.Value.Number ?? -1;
        var next = place.Next?.Value.Number ?? End;
        if (next - previous > 1)
            Give(place, previous + Math.Min(Gap, (next - previous) / 2));
        else
            Spread(place, Math.Max(previous, 0));
    }

    /// <summary>Numbers the places around a number anew, one place among them that has none yet.</summary>
    private void Spread(LinkedListNode<Place<T>> place, long around)
    {
        var (first, last, count) = (place, place, 1L);
        for (var bits = 1; ; bits++)
        {
            var start = around >> bits << bits;
            var end = start + (1L << bits);
            for (; first.Previous is { } previous && previous.Value.Number >= start; first = previous)
                count++;
            for (; last.Next is { } next && next.Value.Number < end; last = next)
                count++;
            if (bits < Bits && count > Math.Pow(Growth, bits))
                continue;
            for (var (number, at) = (start, first); at != last.Next; number += (end - start) / count, at = at!.Next)
                Give(at!, number);
            return;
        }
    }

    private void Give(LinkedListNode<Place<T>> place, long number)
    {
        place.Value.Number = number;
        Given++;
    }
}
