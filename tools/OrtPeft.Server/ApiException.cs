using System.Text.Json.Nodes;

namespace OrtPeft.Server;

/// <summary>A client's mistake, or something that the server cannot do now, as OpenAI's API says it.</summary>
/// <param name="status">The HTTP status.</param>
/// <param name="message">What is wrong and what to do.</param>
/// <param name="code">A word for programs.</param>
/// <param name="parameter">The field of the request that it is about.</param>
internal sealed class ApiException(int status, string message, string? code = null, string? parameter = null)
    : Exception(message)
{
    /// <summary>The HTTP status.</summary>
    public int Status => status;

    /// <summary>The body.</summary>
    public JsonObject Body => new()
    {
        ["error"] = new JsonObject
        {
            ["message"] = Message,
            ["type"] = status switch
            {
                401 => "authentication_error",
                429 => "rate_limit_error",
                >= 500 => "server_error",
                _ => "invalid_request_error",
            },
            ["param"] = parameter,
            ["code"] = code,
        },
    };

    /// <summary>A field whose value cannot be used.</summary>
    public static ApiException Field(string field, string message, string code = "invalid_value") =>
        new(400, $"{field}: {message}", code, field);

    /// <summary>A field that would change the answer, and that this server cannot follow.</summary>
    public static ApiException Unsupported(string field, string message) =>
        new(400, $"{field}: {message}", "unsupported_parameter", field);
}
