using Microsoft.AspNetCore.Http;

namespace OrtPeft.Server;

/// <summary>The page for trying models out; it brings all it needs.</summary>
internal static class ChatPage
{
    private static readonly byte[] Page = Read();

    /// <summary>Writes it.</summary>
    public static Task WriteAsync(HttpContext context)
    {
        context.Response.ContentType = "text/html; charset=utf-8";
        context.Response.Headers.ContentSecurityPolicy =
            "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; connect-src 'self'; "
            + "frame-ancestors 'none'; base-uri 'none'; form-action 'none'";
        return context.Response.Body.WriteAsync(Page, context.RequestAborted).AsTask();
    }

    private static byte[] Read()
    {
        using var stream = typeof(ChatPage).Assembly.GetManifestResourceStream("chat.html")!;
        using var memory = new MemoryStream();
        stream.CopyTo(memory);
        return memory.ToArray();
    }
}
