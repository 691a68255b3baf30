namespace OrtPeft.Artifacts.OrtFormats;

/// <summary>The optimizer's state for a group of parameters; ONNX Runtime has one group, <c>group0</c>.</summary>
public sealed class OrtOptimizerGroup
{
    /// <summary>The name of the one group that ONNX Runtime makes.</summary>
    public const string DefaultName = "group0";

    /// <summary>The group's name; default <c>group0</c>.</summary>
    public string Name { get; init; } = DefaultName;

    /// <summary>The optimizer steps made, from 0.</summary>
    public long Step { get; init; }

    /// <summary>
    /// The learning rate with which a schedule starts; ONNX Runtime's own default is 0.001. The current rate is not
    /// saved: set it again after loading.
    /// </summary>
    public float InitialLearningRate { get; init; } = 0.001f;

    /// <summary>The state of each parameter.</summary>
    public IReadOnlyList<OrtParameterState> States { get; init; } = [];
}
