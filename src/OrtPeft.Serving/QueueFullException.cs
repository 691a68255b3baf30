namespace OrtPeft.Serving;

/// <summary>As many requests wait as may; the caller should try again later.</summary>
/// <param name="limit">How many may wait.</param>
public sealed class QueueFullException(int limit)
    : Exception($"{limit} requests wait already; try again later.");
