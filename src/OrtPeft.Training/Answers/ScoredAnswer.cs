namespace OrtPeft.Training.Answers;

/// <summary>A model's answer beside what was expected.</summary>
/// <param name="Row">What was asked.</param>
/// <param name="Prompt">The same as text.</param>
/// <param name="Expected">What was expected, as text; null where nothing says.</param>
/// <param name="Text">The answer.</param>
public sealed record ScoredAnswer(AnswerRow Row, string Prompt, string? Expected, string Text)
{
    /// <summary>1 where the answer is the expected one, white space around both left out; else 0. NaN where none is
    /// expected.</summary>
    public double ExactMatch => Expected is null ? double.NaN : AnswerScores.ExactMatch(Expected, Text);

    /// <summary>How much of the expected answer it shares in order, 0 to 1. NaN where none is expected.</summary>
    public double RougeL => Expected is null ? double.NaN : AnswerScores.RougeL(Expected, Text);

    /// <summary>1 where the answer is JSON; else 0.</summary>
    public double JsonValid => AnswerScores.JsonValid(Text);
}
