namespace OrtPeft.Serving.Engine;

/// <summary>A slot that an adapter has, or the base's. Only the engine changes it, under its lock.</summary>
/// <param name="index">Its place in the graph's inputs; 0 is the base.</param>
internal sealed class EngineSlot(int index)
{
    /// <summary>Its place in the graph's inputs.</summary>
    public int Index => index;

    /// <summary>Requests that compute with it or wait to.</summary>
    public int Users { get; set; }

    /// <summary>Whether its name is gone: once nobody uses it, others may have it.</summary>
    public bool IsUnloaded { get; set; }
}
