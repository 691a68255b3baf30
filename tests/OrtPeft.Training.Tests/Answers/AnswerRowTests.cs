using OrtPeft.Training.Answers;
using OrtPeft.Training.Data;

namespace OrtPeft.Training.Tests.Answers;

public sealed class AnswerRowTests
{
    private const int None = -100;

    [Fact]
    public void Of_ARowWithAPrompt_SplitsItThere()
    {
        var row = AnswerRow.Of(new Example([1, 2, 3, 4], [None, None, 3, 4]) { File = "f", Line = 7 })!;

        Assert.Equal([1, 2], row.Prompt.ToArray());
        Assert.Equal([3, 4], row.Expected!.Value.ToArray());
        Assert.Equal(("f", 7), (row.File, row.Line));
    }

    [Fact]
    public void Of_AConversation_AsksForItsLastAnswer()
    {
        var row = AnswerRow.Of(new Example([1, 2, 3, 4, 5, 6], [None, 2, None, None, 5, None]))!;

        Assert.Equal([1, 2, 3, 4], row.Prompt.ToArray());
        Assert.Equal([5], row.Expected!.Value.ToArray());
    }

    [Fact]
    public void Of_ARowThatAsksNothing_IsNull()
    {
        Assert.Null(AnswerRow.Of(new Example([1, 2], [1, 2]))); // a text that is learned as a whole
        Assert.Null(AnswerRow.Of(new Example([1, 2], [None, None])));
        Assert.Null(AnswerRow.Of(new Example([1, 2, 3], [None, 2, 3], attentionMask: [0, 1, 1])));
        Assert.Null(AnswerRow.Of(new Example([1, 2, 3, 4], [None, 2, None, 4], positionIds: [0, 1, 0, 1])));
    }
}
