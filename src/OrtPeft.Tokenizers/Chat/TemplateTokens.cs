using System.Text.Json;
using OrtPeft.Tokenizers.Chat.Jinja.Values;
using OrtPeft.Tokenizers.Serialization;

namespace OrtPeft.Tokenizers.Chat;

/// <summary>The special tokens that a template sees by their roles, such as <c>bos_token</c>.</summary>
internal sealed record TemplateTokens(IReadOnlyDictionary<string, object?> Variables)
{
    private const string Suffix = "_token";
    private const string Additional = "additional_special_tokens";

    public static TemplateTokens None { get; } = new(new Dictionary<string, object?>(StringComparer.Ordinal));

    public static TemplateTokens Read(string folder)
    {
        var found = new Dictionary<string, object?>(StringComparer.Ordinal);
        foreach (var name in (string[])[FileNames.Config, FileNames.SpecialTokensMap])
        {
            var file = Path.Combine(folder, name);
            if (File.Exists(file))
                TextFile.ReadJson(file, root => ReadRoles(root.Value, found));
        }

        return new TemplateTokens(found);
    }

    private static bool ReadRoles(JsonElement root, Dictionary<string, object?> found)
    {
        if (root.ValueKind != JsonValueKind.Object)
            return false;
        foreach (var member in root.EnumerateObject())
        {
            if (member.Name.EndsWith(Suffix, StringComparison.Ordinal) && Content(member.Value) is { } token)
                found.TryAdd(member.Name, token);
            if (member.Name == Additional && member.Value.ValueKind == JsonValueKind.Array)
                found.TryAdd(member.Name, new PyList(member.Value.EnumerateArray().Select(Content)));
        }

        return true;
    }

    /// <summary>A token is a text, or an object that describes one.</summary>
    private static string? Content(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String => value.GetString(),
        JsonValueKind.Object when value.TryGetProperty("content", out var content)
            && content.ValueKind == JsonValueKind.String => content.GetString(),
        _ => null,
    };
}
