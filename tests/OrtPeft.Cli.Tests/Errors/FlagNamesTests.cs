using OrtPeft.Cli.Errors;

namespace OrtPeft.Cli.Tests.Errors;

public sealed class FlagNamesTests
{
    [Theory]
    [InlineData("BatchSize is 0; it must be at least 1.", "--batch-size is 0; it must be at least 1.")]
    [InlineData("TopP is 1.5; it must be", "--top-p is 1.5; it must be")]
    [InlineData("m: Epochs is NaN; it", "m: --epochs is NaN; it")]
    [InlineData("Beta1 is 1; it", "--beta1 is 1; it")]
    [InlineData("SequenceLength 4 truncates rows", "--seq-len 4 truncates rows")]
    [InlineData("shorten it, or change Overlong", "shorten it, or change --overlong")]
    [InlineData("needs a tokenizer; pass one to ExampleReader", "needs a tokenizer; name its folder with --tokenizer")]
    public void Property_IsSaidAsItsOption(string message, string expected) =>
        Assert.Equal(expected, FlagNames.In(message));

    [Theory]
    [InlineData("data/BatchSize.jsonl does not exist")]
    [InlineData("the field 'TopP' is not known")]
    [InlineData("Epochs of training and Steps taken")]
    [InlineData("/models/SequenceLength is not a folder")]
    [InlineData("OutOfMemory is another word")]
    public void OtherText_Stays(string message) => Assert.Equal(message, FlagNames.In(message));
}
