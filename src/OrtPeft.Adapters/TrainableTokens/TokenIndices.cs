using System.Text.Json.Nodes;

namespace OrtPeft.Adapters.TrainableTokens;

/// <summary>
/// The tokens whose embeddings train, as HF PEFT's <c>trainable_token_indices</c>: a list for the model's input
/// embedding, or a list for each embedding that is named. Immutable; equal when the written form is.
/// </summary>
public sealed class TokenIndices : IEquatable<TokenIndices>
{
    private readonly string _written;

    private TokenIndices(IReadOnlyList<KeyValuePair<string, IReadOnlyList<int>>> modules, bool isNamed)
    {
        (Modules, IsNamed) = (modules, isNamed);
        _written = ToJson().ToJsonString();
    }

    /// <summary>The tokens by embedding; one entry with an empty name stands for the input embedding.</summary>
    public IReadOnlyList<KeyValuePair<string, IReadOnlyList<int>>> Modules { get; }

    /// <summary>Whether embeddings are named.</summary>
    public bool IsNamed { get; }

    /// <summary>Tokens of the model's input embedding.</summary>
    /// <param name="tokens">Token ids, from 0, each once.</param>
    /// <returns>The choice.</returns>
    public static TokenIndices Of(params IReadOnlyList<int> tokens) => new([new("", [.. tokens])], isNamed: false);

    /// <summary>Tokens of named embeddings.</summary>
    /// <param name="modules">Names or name endings such as <c>wte</c>, and their token ids.</param>
    /// <returns>The choice.</returns>
    public static TokenIndices OfModules(params IEnumerable<KeyValuePair<string, IReadOnlyList<int>>> modules) =>
        new([.. modules], isNamed: true);

    /// <inheritdoc/>
    public bool Equals(TokenIndices? other) => other?._written == _written;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as TokenIndices);

    /// <inheritdoc/>
    public override int GetHashCode() => _written.GetHashCode(StringComparison.Ordinal);

    /// <summary>The written form.</summary>
    /// <returns>JSON.</returns>
    public override string ToString() => _written;

    internal static TokenIndices? FromJson(JsonNode? json, string field) => json switch
    {
        null => null,
        JsonArray list => Of(Numbers(list, field)),
        JsonObject map => OfModules(map.Select(e =>
            KeyValuePair.Create(e.Key, Numbers(e.Value as JsonArray ?? throw Wrong(json, field), field)))),
        _ => throw Wrong(json, field),
    };

    internal JsonNode ToJson() => IsNamed
        ? new JsonObject(Modules.Select(static m => KeyValuePair.Create(m.Key, (JsonNode?)List(m.Value))))
        : List(Modules[0].Value);

    private static JsonArray List(IReadOnlyList<int> tokens) => new([.. tokens.Select(static t => (JsonNode)t)]);

    private static IReadOnlyList<int> Numbers(JsonArray list, string field) => [.. list.Select(e =>
        e is JsonValue value && value.TryGetValue<int>(out var token) ? token : throw Wrong(list, field))];

    private static ConfigException Wrong(JsonNode json, string field) => new(
        $"{field} is {json.ToJsonString()}; it must be a list of token ids, or an object of such lists by embedding.");
}
