using System.Text.Json.Nodes;

namespace OrtPeft.Server;

/// <summary>The fields that every part of a response repeats.</summary>
/// <param name="Id">The response's id.</param>
/// <param name="Created">When it began, in seconds since 1970.</param>
/// <param name="Model">Which model answers.</param>
internal sealed record Head(string Id, long Created, string Model)
{
    /// <summary>A body with choices.</summary>
    public JsonObject Of(string kind, JsonArray choices) => new()
    {
        ["id"] = Id,
        ["object"] = kind,
        ["created"] = Created,
        ["model"] = Model,
        ["choices"] = choices,
    };
}
