namespace OrtPeft.Onnx.Passes;

/// <summary>The scope that a node's name has before its last slash, where nodes in its place get their names.</summary>
internal static class NodeScope
{
    /// <summary>The scope; empty where there is none.</summary>
    public static string Of(string node) => node.LastIndexOf('/') is > 0 and var at ? node[..at] : "";

    /// <summary>The scope, or the name where there is no slash in it.</summary>
    public static string OrName(string node) => node.LastIndexOf('/') is >= 0 and var at ? node[..at] : node;
}
