using OrtPeft.Artifacts;

namespace OrtPeft.Training.Tests.Optimizers;

/// <summary>Parameters at their places in flat vectors.</summary>
internal static class Layout
{
    public static ArtifactParameter Of(string name, long offset, params long[] dims) =>
        new() { Name = name, Input = name, Dims = dims, Offset = offset };

    /// <summary>One after another, with the gaps that there are.</summary>
    public static ArtifactParameter[] Of(params long[][] tensors)
    {
        var parameters = new List<ArtifactParameter>();
        foreach (var (i, dims) in tensors.Index())
            parameters.Add(Of($"p{i}", FlatLayout.LengthOf(parameters), dims));
        return [.. parameters];
    }
}
