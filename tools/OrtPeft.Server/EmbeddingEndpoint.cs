using System.Runtime.InteropServices;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using OrtPeft.Serving;

namespace OrtPeft.Server;

/// <summary><c>POST /v1/embeddings</c>.</summary>
/// <param name="served">The model.</param>
internal sealed class EmbeddingEndpoint(ServedModel served)
{
    private const int MostInputs = 2048;

    /// <summary>Answers a request. Its inputs are computed one after the other, so that it takes one place in the
    /// queue.</summary>
    public async Task HandleAsync(HttpContext context, RequestRecord record)
    {
        using var body = await JsonBody.ReadAsync(context).ConfigureAwait(false);
        var fields = new Fields(body.RootElement);
        var model = fields.Text("model") ?? throw ApiException.Field("model", "missing; name a model of /v1/models.");
        var isBase64 = fields.Text("encoding_format") switch
        {
            null or "float" => false,
            "base64" => true,
            var other => throw ApiException.Field("encoding_format", $"expected float or base64, not '{other}'."),
        };
        var dimensions = (int?)fields.Whole("dimensions", 1, served.EmbeddingWidth);
        var inputs = Inputs(fields);
        fields.Ignore("user");
        fields.End();
        record.Begin("embeddings", model);
        if (!served.Knows(model))
            throw served.Unknown(model);
        record.Prompts(inputs.Sum(static i => i.Count));
        var data = new JsonArray();
        foreach (var (index, input) in inputs.Index())
        {
            var vector = await served.EmbedAsync(model, input, dimensions, record.Cancellation).ConfigureAwait(false);
            data.Add((JsonNode)new JsonObject
            {
                ["object"] = "embedding",
                ["index"] = index,
                ["embedding"] = isBase64
                    ? Base64Of(vector)
                    : new JsonArray([.. vector.Select(static v => (JsonNode)v)]),
            });
        }

        await JsonBody.WriteAsync(context, new JsonObject
        {
            ["object"] = "list",
            ["data"] = data,
            ["model"] = model,
            ["usage"] = new JsonObject
            {
                ["prompt_tokens"] = record.PromptTokens,
                ["total_tokens"] = record.PromptTokens,
            },
        }).ConfigureAwait(false);
    }

    /// <summary>float32, least byte first, as all machines that ONNX Runtime runs on have it.</summary>
    private static string Base64Of(float[] vector) => Convert.ToBase64String(MemoryMarshal.AsBytes<float>(vector));

    private IReadOnlyList<IReadOnlyList<int>> Inputs(Fields fields) => TextOrTokens.Of(fields, "input", MostInputs, text =>
        // A tokenizer may put tokens around an empty text, whose embedding would say nothing.
        text.Length > 0 ? served.EmbeddedOf(text) : throw ApiException.Field("input", "a text is empty; give at least one character."));
}
