namespace OrtPeft.Serving.Chat;

/// <summary>The model and adapters that an app serves itself with. Fits a section of its configuration.</summary>
public sealed class ServedModelOptions
{
    /// <summary>An HF folder, a folder with <c>model.onnx</c>, or an <c>.onnx</c> file. Required.</summary>
    public string? Model { get; set; }

    /// <summary>Adapters' folders by the names that requests choose them by; none by default.</summary>
    public IDictionary<string, string> Adapters { get; } = new Dictionary<string, string>(StringComparer.Ordinal);

    /// <summary>The adapter of requests that name none; null (the default) for the model alone.</summary>
    public string? Adapter { get; set; }

    /// <summary>Limits, and how ONNX Runtime runs the model.</summary>
    public ServingOptions Serving { get; set; } = new();
}
