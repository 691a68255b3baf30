using System.Text.Json.Nodes;
using OrtPeft.Adapters;
using OrtPeft.Adapters.Inspection;
using OrtPeft.Tensors;

namespace OrtPeft.Cli.Reporting;

/// <summary>A line of a list of adapters.</summary>
/// <param name="Folder">The adapter's folder.</param>
/// <param name="Adapter">The adapter; null where it cannot be read.</param>
/// <param name="Fault">Why it cannot; null where it can.</param>
internal sealed record Listed(string Folder, StoredAdapter? Adapter, string? Fault)
{
    /// <summary>The titles of the columns.</summary>
    public static string[] Titles => ["adapter", "method", "rank", "alpha", "parameters", "size", "base"];

    /// <summary>Opens an adapter, or says why not.</summary>
    public static Listed Of(string folder)
    {
        try
        {
            return new Listed(folder, StoredAdapter.Open(folder), null);
        }
        catch (Exception e) when (e is ConfigException or OnnxFormatException or IOException or UnauthorizedAccessException)
        {
            return new Listed(folder, null, e.Message);
        }
    }

    /// <summary>The columns.</summary>
    public string[] Row() => Adapter is null
        ? [Folder, "cannot be read", "", "", "", "", ""]
        :
        [
            Folder,
            AdapterReport.Method(Adapter),
            Adapter.Rank is { } rank ? Human.Plain(rank) : "",
            Adapter.Alpha is { } alpha ? Human.Plain(alpha) : "",
            Human.Count(Adapter.ParameterCount),
            Human.Bytes(Adapter.Bytes),
            Adapter.Config.BaseModelNameOrPath ?? "",
        ];

    /// <summary>The same for programs.</summary>
    public JsonObject ToJson() => Adapter is null
        ? new() { ["folder"] = Folder, ["fault"] = Fault }
        : AdapterReport.Describe(Adapter);
}
