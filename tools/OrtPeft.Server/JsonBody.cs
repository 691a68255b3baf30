using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;

namespace OrtPeft.Server;

/// <summary>JSON in requests and responses.</summary>
internal static class JsonBody
{
    /// <summary>Characters as they are, on one line.</summary>
    public static readonly JsonSerializerOptions Plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false };

    /// <summary>Reads a request's body.</summary>
    /// <exception cref="ApiException">It is too large, or not JSON.</exception>
    public static async Task<JsonDocument> ReadAsync(HttpContext context)
    {
        // A page of another site can send other types without asking; it cannot send this one.
        if (!context.Request.HasJsonContentType())
            throw new ApiException(415, "The body must be JSON: send Content-Type: application/json.");
        try
        {
            var document = await JsonDocument.ParseAsync(context.Request.Body, Strict, context.RequestAborted)
                .ConfigureAwait(false);
            try
            {
                CheckTexts(document.RootElement);
                return document;
            }
            catch
            {
                document.Dispose();
                throw;
            }
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or DecoderFallbackException)
        {
            throw new ApiException(400, $"The body is not valid JSON: {e.Message}", "invalid_json");
        }
        catch (BadHttpRequestException e) when (e.StatusCode == 413)
        {
            throw new ApiException(413, "The body is larger than this server takes.", "request_too_large");
        }
        catch (BadHttpRequestException e)
        {
            throw new ApiException(e.StatusCode, $"The request is malformed: {e.Message}");
        }
    }

    /// <summary>Writes a response.</summary>
    public static Task WriteAsync(HttpContext context, JsonObject body, int status = 200)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "application/json; charset=utf-8";
        return context.Response.WriteAsync(body.ToJsonString(Plain), CancellationToken.None);
    }

    /// <summary>Escapes may spell halves of characters, of which no text can be made.</summary>
    private static void CheckTexts(JsonElement element)
    {
        switch (element.ValueKind)
        {
            case JsonValueKind.String:
                element.GetString();
                break;
            case JsonValueKind.Array:
                foreach (var item in element.EnumerateArray())
                    CheckTexts(item);
                break;
            case JsonValueKind.Object:
                foreach (var field in element.EnumerateObject())
                {
                    _ = field.Name;
                    CheckTexts(field.Value);
                }

                break;
        }
    }
}
