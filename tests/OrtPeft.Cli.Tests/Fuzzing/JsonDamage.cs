using System.Text;
using System.Text.Json.Nodes;

namespace OrtPeft.Cli.Tests.Fuzzing;

/// <summary>Changes well-formed JSON to other well-formed JSON.</summary>
internal static class JsonDamage
{
    private static readonly string[] Values =
    [
        "null", "true", "false", "0", "1", "-1", "3", "0.5", "1e300", "-0.0", "2147483647", "2147483648",
        "4611686018427387904", "9223372036854775807", "-9223372036854775808", "18446744073709551616", "\"\"", "\"x\"",
        "\"..\"", "\"all-linear\"", "\"(a+)+$\"", "[]", "[[]]", "[1,-2]", "[\"x\",null]", "{}", "{\"x\":1}",
    ];

    /// <summary>Changes one or two places.</summary>
    public static byte[] Apply(byte[] json, Random random)
    {
        if (JsonNode.Parse(json) is not { } root)
            return json;
        for (var i = random.Next(2); i >= 0; i--)
            Change(root, random);
        return Encoding.UTF8.GetBytes(root.ToJsonString());
    }

    private static void Change(JsonNode root, Random random)
    {
        var nodes = new List<JsonNode>();
        Collect(root, nodes);
        var node = nodes[random.Next(nodes.Count)];
        var value = JsonNode.Parse(Values[random.Next(Values.Length)]);
        if (node is JsonObject fields && fields.Count > 0)
            Change(fields, fields.ElementAt(random.Next(fields.Count)).Key, value, random);
        else if (node is JsonArray list && list.Count > 0)
            Change(list, random.Next(list.Count), value, random);
    }

    private static void Change(JsonObject fields, string key, JsonNode? value, Random random)
    {
        switch (random.Next(4))
        {
            case 0:
                fields.Remove(key);
                break;
            case 1:
                fields[fields.ElementAt(random.Next(fields.Count)).Key] = fields[key]?.DeepClone();
                break;
            default:
                fields[key] = value;
                break;
        }
    }

    private static void Change(JsonArray list, int index, JsonNode? value, Random random)
    {
        switch (random.Next(4))
        {
            case 0:
                list.RemoveAt(index);
                break;
            case 1:
                list.Add(list[index]?.DeepClone());
                break;
            default:
                list[index] = value;
                break;
        }
    }

    /// <summary>Objects and lists that hold something; of long lists the first part.</summary>
    private static void Collect(JsonNode? node, List<JsonNode> nodes)
    {
        const int Most = 200;
        if (node is JsonObject or JsonArray && nodes.Count < Most)
            nodes.Add(node);
        var inner = node is JsonObject fields ? fields.Select(static f => f.Value) : node as JsonArray ?? [];
        foreach (var child in inner.Take(Most))
            Collect(child, nodes);
    }
}
