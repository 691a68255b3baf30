using System.CommandLine;
using System.CommandLine.Invocation;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace OrtPeft.Cli.Config;

/// <summary>Writes a JSON Schema of a run's file, with which editors complete and check it.</summary>
/// <seealso href="https://json-schema.org/draft/2020-12/schema"/>
internal sealed class RunSchema : SynchronousCommandLineAction
{
    /// <summary>The option that asks for it.</summary>
    public const string Option = "--config-schema";

    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    public override bool ClearsParseErrors => true;

    public override int Invoke(ParseResult parseResult)
    {
        var verb = parseResult.CommandResult.Command;
        var properties = new JsonObject();
        foreach (var argument in verb.Arguments)
        {
            properties[argument.Name.ToLowerInvariant()] =
                new JsonObject { ["description"] = argument.Description, ["type"] = "string" };
        }

        foreach (var option in RunKeys.Of(verb))
        {
            foreach (var name in option.Aliases.Append(option.Name).Where(static n => n.StartsWith("--", StringComparison.Ordinal)))
                properties[name[2..]] = Of(option);
        }

        var schema = new JsonObject
        {
            ["$schema"] = "https://json-schema.org/draft/2020-12/schema",
            ["title"] = $"ortpeft {verb.Name}",
            ["type"] = "object",
            ["additionalProperties"] = false,
            ["properties"] = properties,
        };
        parseResult.InvocationConfiguration.Output.WriteLine(schema.ToJsonString(Indented));
        return 0;
    }

    private static JsonObject Of(Option option)
    {
        var schema = new JsonObject { ["description"] = option.Description };
        if (option.HelpName is { } kinds && kinds.Contains('|', StringComparison.Ordinal) && !RunKeys.IsList(option))
            schema["enum"] = new JsonArray([.. kinds.Split('|').Select(static k => (JsonNode)k)]);
        else if (RunKeys.IsList(option))
            schema["type"] = new JsonArray("string", "array", "object");
        else
            schema["type"] = TypeOf(Nullable.GetUnderlyingType(option.ValueType) ?? option.ValueType);
        return schema;
    }

    private static JsonNode TypeOf(Type type) =>
        type == typeof(bool) ? "boolean"
        : type == typeof(int) ? "integer"
        : type == typeof(double) ? "number"
        : new JsonArray("string", "number", "array");
}
