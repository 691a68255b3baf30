namespace OrtPeft.Compilation.Rewrites;

/// <summary>When a <see cref="Speedup"/> sees the graph.</summary>
public enum SpeedupStage
{
    /// <summary>Between the loss and its differentiation: the gradient's nodes follow from the rewritten ones. The
    /// graph's results are the loss and where differentiation starts.</summary>
    BeforeGradient,

    /// <summary>After differentiation, when it shows what the gradient reads.</summary>
    AfterGradient,
}
