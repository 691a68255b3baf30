namespace OrtPeft.Inference.Evaluation;

/// <summary>Where two models' logits differ most.</summary>
/// <param name="Largest">The largest absolute difference of two logits; NaN where either is NaN, 0 when all are
/// equal.</param>
/// <param name="Sequence">The sequence it is in, from 0.</param>
/// <param name="Position">The token's place in the sequence, from 0.</param>
/// <param name="Token">The vocabulary entry, from 0.</param>
/// <param name="First">The first model's logit there.</param>
/// <param name="Second">The second model's logit there.</param>
internal sealed record LogitsDifference(
    float Largest, int Sequence, int Position, int Token, float First, float Second)
{
    /// <summary>The largest absolute logit of the first model, wherever it is.</summary>
    public float LargestLogit { get; init; }
}
