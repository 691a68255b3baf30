namespace OrtPeft.Artifacts;

/// <summary>
/// A learning rate inside the optimiser's model, for runtimes that cannot set one: it multiplies the rate that the
/// runtime gives.
/// </summary>
/// <param name="Assumed">The rate that the runtime is expected to give; the web API's is always 0.001.</param>
/// <param name="LearningRate">The rate that results from it.</param>
public sealed record LearningRateFolding(double Assumed, double LearningRate)
{
    /// <summary>The factor by which the optimiser's model multiplies the given rate.</summary>
    [System.Text.Json.Serialization.JsonIgnore]
    public double Factor => LearningRate / Assumed;
}
