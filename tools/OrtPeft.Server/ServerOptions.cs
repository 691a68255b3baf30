namespace OrtPeft.Server;

/// <summary>Where a server listens, whom it serves, and its limits.</summary>
internal sealed record ServerOptions
{
    /// <summary>The address or name to listen at; the machine itself by default.</summary>
    public string Host { get; init; } = "localhost";

    /// <summary>The port; 0 takes a free one.</summary>
    public int Port { get; init; } = 8000;

    /// <summary>The keys of which a request must bring one; none (default) lets everyone in.</summary>
    public IReadOnlyList<string> Keys { get; init; } = [];

    /// <summary>The largest body of a request, in bytes.</summary>
    public long MaxBody { get; init; } = 1 << 20;

    /// <summary>The most tokens of an answer, and what a request gets that does not say.</summary>
    public int MaxTokens { get; init; } = 1024;

    /// <summary>The longest that a request may take; null for any time.</summary>
    public TimeSpan? Timeout { get; init; }

    /// <summary>How long running answers may take at the end before they are broken off.</summary>
    public TimeSpan Grace { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>The folder in which adapters to be loaded over HTTP lie; null (default) allows none.</summary>
    public string? AdapterFolder { get; init; }

    /// <summary>Receives a line for each request; no text of prompts or answers.</summary>
    public Action<string> Log { get; init; } = static _ => { };

    /// <summary>Whether only the machine itself can reach it.</summary>
    public bool IsLocal => Host == "localhost"
        || (System.Net.IPAddress.TryParse(Host, out var address) && System.Net.IPAddress.IsLoopback(address));
}
