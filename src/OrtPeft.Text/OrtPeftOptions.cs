using OrtPeft.Runtime.Sessions;

namespace OrtPeft.Text;

/// <summary>The model that an app speaks with. Fits a section of its configuration.</summary>
public sealed class OrtPeftOptions
{
    /// <summary>An HF folder, a folder with <c>model.onnx</c>, or an <c>.onnx</c> file. Required.</summary>
    public string? Model { get; set; }

    /// <summary>An adapter's folder; null (the default) for the model alone.</summary>
    public string? Adapter { get; set; }

    /// <summary>How ONNX Runtime runs the model; the CPU with all cores by default.</summary>
    public RuntimeOptions Runtime { get; set; } = new();
}
