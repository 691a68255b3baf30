using OrtPeft.Serving.Texts;

namespace OrtPeft.Serving.Tests;

public sealed class ToolCallTests
{
    [Theory]
    [InlineData(
        "… <tool_call> …",
        "Let me see.\n<tool_call>\n{\"name\": \"f\", \"arguments\": {\"a\": 1}}\n</tool_call>\n<tool_call>{\"name\": \"g\", \"arguments\": {}}</tool_call>",
        "Let me see.\n",
        "f{\"a\": 1} g{}")]
    [InlineData("… [TOOL_CALLS] …", "[TOOL_CALLS][{\"name\": \"f\", \"arguments\": {\"a\": [1]}}]", "", "f{\"a\": [1]}")]
    [InlineData("Environment: ipython", "{\"name\": \"f\", \"parameters\": {\"a\": \"x\"}}", "", "f{\"a\": \"x\"}")]
    [InlineData("Environment: ipython", "<|python_tag|>{\"name\": \"f\", \"parameters\": {}}", "", "f{}")]
    [InlineData("Environment: ipython", "Plain {text}", "Plain {text}", "")]
    [InlineData("Environment: ipython", "{\"no\": \"call\"}", "{\"no\": \"call\"}", "")]
    [InlineData("… <tool_call> …", "a <tool_call>{broken", "a <tool_call>{broken", "")]
    [InlineData("… <tool_call> …", "1 < 2 and <tool", "1 < 2 and <tool", "")]
    [InlineData("no form", "<tool_call>{}</tool_call>", "<tool_call>{}</tool_call>", "")]
    public void Calls_AreTakenOutOfTheText_HoweverItIsCut(string template, string answer, string text, string calls)
    {
        for (var size = 1; size < answer.Length + 1; size += 3)
        {
            var reader = new ToolCallReader(ToolCallForm.Of(template));

            var read = string.Concat(answer.Chunk(size).Select(c => reader.Append(new string(c))));
            var (found, rest) = reader.End();

            Assert.Equal(text, read + rest);
            Assert.Equal(calls, string.Join(" ", found.Select(static c => c.Name + c.Arguments)));
        }
    }
}
