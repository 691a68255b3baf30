namespace OrtPeft.Adapters.Artifacts.Speed;

/// <summary>When a <see cref="Speedup"/> sees the graph.</summary>
public enum SpeedupStage
{
    /// <summary>Before differentiation: the gradient's nodes follow from the rewritten ones.</summary>
    BeforeGradient,

    /// <summary>After differentiation, when it shows what the gradient reads.</summary>
    AfterGradient,
}
