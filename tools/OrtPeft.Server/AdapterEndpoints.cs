using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using OrtPeft.Serving;

namespace OrtPeft.Server;

/// <summary>
/// <c>POST /v1/load_lora_adapter</c> and <c>/v1/unload_lora_adapter</c>, as vLLM has them. Adapters come from one folder and
/// what is inside it, links followed.
/// </summary>
/// <param name="served">The model.</param>
/// <param name="options">The folder.</param>
internal sealed class AdapterEndpoints(ServedModel served, ServerOptions options)
{
    /// <summary>Loads an adapter.</summary>
    public async Task LoadAsync(HttpContext context)
    {
        var folder = Allowed();
        using var body = await JsonBody.ReadAsync(context).ConfigureAwait(false);
        var fields = new Fields(body.RootElement);
        var name = fields.Text("lora_name") ?? throw ApiException.Field("lora_name", "missing.");
        var path = fields.Text("lora_path") ?? throw ApiException.Field("lora_path", "missing.");
        fields.Only("load_inplace", static v => v.ValueKind == System.Text.Json.JsonValueKind.False,
            "an adapter is not replaced; unload it first.");
        fields.End();
        await served.LoadAdapterAsync(name, Inside(folder, path)).ConfigureAwait(false);
        await JsonBody.WriteAsync(context, new JsonObject { ["message"] = $"The adapter '{name}' is loaded." })
            .ConfigureAwait(false);
    }

    /// <summary>Unloads an adapter.</summary>
    public async Task UnloadAsync(HttpContext context)
    {
        Allowed();
        using var body = await JsonBody.ReadAsync(context).ConfigureAwait(false);
        var fields = new Fields(body.RootElement);
        var name = fields.Text("lora_name") ?? throw ApiException.Field("lora_name", "missing.");
        fields.Ignore("lora_int_id");
        fields.End();
        served.UnloadAdapter(name);
        await JsonBody.WriteAsync(context, new JsonObject { ["message"] = $"The adapter '{name}' is unloaded." })
            .ConfigureAwait(false);
    }

    private string Allowed() => options.AdapterFolder ?? throw new ApiException(
        403, "Adapters are not loaded over HTTP; start the server with --allow-adapter-loading DIR.", "not_allowed");

    /// <summary>The real path of an adapter, which must lie inside the folder.</summary>
    private static string Inside(string folder, string path)
    {
        var refused = ApiException.Field("lora_path", "expected an adapter's folder inside the one that the server allows.");
        if (path.Contains('\0', StringComparison.Ordinal))
            throw refused;
        var root = Real(new DirectoryInfo(folder));
        var given = new DirectoryInfo(Path.Combine(root, path));
        if (!IsInside(root, given.FullName) || !given.Exists || !IsInside(root, Real(given)))
            throw refused;
        return Real(given);
    }

    private static bool IsInside(string root, string path) =>
        path.StartsWith(Path.TrimEndingDirectorySeparator(root) + Path.DirectorySeparatorChar, StringComparison.Ordinal);

    /// <summary>Follows the links of each part of a path.</summary>
    private static string Real(DirectoryInfo folder)
    {
        if (folder.Parent is not { } parent)
            return folder.FullName;
        var here = new DirectoryInfo(Path.Combine(Real(parent), folder.Name));
        return here.ResolveLinkTarget(returnFinalTarget: true) is { } target
            ? Real(new DirectoryInfo(target.FullName))
            : here.FullName;
    }
}
