using System.Text.RegularExpressions;
using OrtPeft.Onnx.Serialization.Proto;

namespace OrtPeft.Onnx.Serialization;

/// <summary>
/// Reads the module that a node came from out of what <c>torch.onnx.export(…, dynamo=True)</c> notes at it:
/// <c>['', 'model', 'model.layers.0', 'model.layers.0.self_attn.q_proj', 'linear_3']</c>, the paths of the modules from
/// the outside in, then the operation.
/// </summary>
/// <seealso href="https://docs.pytorch.org/docs/stable/onnx_export.html"/>
internal static partial class NodeScopes
{
    private const string Key = "pkg.torch.onnx.name_scopes";

    /// <summary>The innermost module's path; null where the node says none.</summary>
    public static string? Of(NodeProto node)
    {
        if (node.MetadataProps.FirstOrDefault(static p => p.Key == Key)?.Value is not { } text)
            return null;
        var entries = Entry().Matches(text);
        var path = entries.Count < 2 ? "" : entries[^2].Groups[1].Value + entries[^2].Groups[2].Value;
        return path.Length == 0 ? null : RepeatedCall().Replace(path, "");
    }

    /// <summary>One text of a Python list.</summary>
    [GeneratedRegex("'([^']*)'|\"([^\"]*)\"", RegexOptions.CultureInvariant)]
    private static partial Regex Entry();

    /// <summary>The suffix of a module's path where it is called once more.</summary>
    [GeneratedRegex("@[0-9]+(?=\\.|$)", RegexOptions.CultureInvariant)]
    private static partial Regex RepeatedCall();
}
