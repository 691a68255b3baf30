using OrtPeft.Training.Answers;

namespace OrtPeft.Training.Tests.Answers;

public sealed class AnswerScoresTests
{
    /// <summary>Of texts in English as Google's rouge_score has it: the first case is that of its own page.</summary>
    [Theory]
    [InlineData("The quick brown fox jumps over the lazy dog", "The quick brown dog jumps on the log.", 0.5882352941176471)]
    [InlineData("the cat", "The CAT!", 1)]
    [InlineData("a b c d", "d c b a", 0.25)]
    [InlineData("a", "", 0)]
    [InlineData("", "", 0)]
    [InlineData("...", "...", 0)]
    [InlineData("Größe über alles", "größe ÜBER", 0.8)]
    [InlineData("我喜欢猫", "我喜欢狗", 0.75)]
    public void RougeL_IsTheFMeasureOfTheCommonSubsequence(string expected, string answer, double score) =>
        Assert.Equal(score, AnswerScores.RougeL(expected, answer), 1e-12);

    [Theory]
    [InlineData(" yes\n", "yes", 1)]
    [InlineData("yes", "Yes", 0)]
    [InlineData("yes", "yes.", 0)]
    [InlineData("", " ", 1)]
    public void ExactMatch_PassesOverWhiteSpaceAroundAlone(string expected, string answer, double score) =>
        Assert.Equal(score, AnswerScores.ExactMatch(expected, answer));

    [Theory]
    [InlineData(" {\"a\": [1, null]}\n", 1)]
    [InlineData("3", 1)]
    [InlineData("{\"a\": 1} {\"b\": 2}", 0)]
    [InlineData("{'a': 1}", 0)]
    [InlineData("{\"a\": 1,}", 0)]
    [InlineData("", 0)]
    public void JsonValid_IsOneValue(string answer, double score) => Assert.Equal(score, AnswerScores.JsonValid(answer));
}
