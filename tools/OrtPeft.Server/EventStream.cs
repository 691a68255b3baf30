using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;

namespace OrtPeft.Server;

/// <summary>Server-sent events: a line of JSON each.</summary>
/// <param name="response">Where they go.</param>
/// <param name="cancellation">Ends writing.</param>
internal sealed class EventStream(HttpResponse response, CancellationToken cancellation)
{
    /// <summary>Writes the headers.</summary>
    public void Begin()
    {
        response.ContentType = "text/event-stream; charset=utf-8";
        response.Headers.CacheControl = "no-cache";
        response.Headers["X-Accel-Buffering"] = "no";
    }

    /// <summary>Writes an event, and sends it.</summary>
    public Task WriteAsync(JsonObject data) => WriteAsync(data.ToJsonString(JsonBody.Plain));

    /// <summary>Writes the end.</summary>
    public Task EndAsync() => WriteAsync("[DONE]");

    private async Task WriteAsync(string data)
    {
        await response.WriteAsync($"data: {data}\n\n", cancellation).ConfigureAwait(false);
        await response.Body.FlushAsync(cancellation).ConfigureAwait(false);
    }
}
