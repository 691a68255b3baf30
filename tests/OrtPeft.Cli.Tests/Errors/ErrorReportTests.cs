using Microsoft.ML.OnnxRuntime;
using OrtPeft.Adapters;
using OrtPeft.Cli.Errors;
using OrtPeft.Onnx;

namespace OrtPeft.Cli.Tests.Errors;

/// <summary>What is the input's fault, what the machine's and what ours.</summary>
public sealed class ErrorReportTests
{
    [Theory]
    [InlineData(typeof(ArgumentException))]
    [InlineData(typeof(ArgumentNullException))]
    [InlineData(typeof(ArgumentOutOfRangeException))]
    [InlineData(typeof(IndexOutOfRangeException))]
    [InlineData(typeof(InvalidOperationException))]
    [InlineData(typeof(KeyNotFoundException))]
    [InlineData(typeof(NullReferenceException))]
    [InlineData(typeof(OverflowException))]
    public void Write_OfWhatOnlyAMistakeOfOursThrows_CallsItABug(Type type) =>
        Says((Exception)Activator.CreateInstance(type)!, 1, $"Bug: {type.Name}", "report it");

    [Fact]
    public void Write_OfBadInput_IsItsMessage()
    {
        Says(new GraphException("The graph."), 2, "The graph.");
        Says(new ConfigException("The config."), 2, "The config.");
    }

    [Fact]
    public void Write_OfAMissingFile_TellsTheUsersFromAPartOfTheProgram()
    {
        const string Part = "System.Diagnostics.Tracing, Version=10.0.0.0, Culture=neutral";

        Says(new FileNotFoundException("", "rows.jsonl"), 2, "rows.jsonl does not exist");
        Says(new FileNotFoundException("", Part), 1, "A part of the program", "System.Diagnostics.Tracing");
    }

    [Fact]
    public void Write_OfWhatOnnxRuntimeThrew_LeavesItsCodeOut()
    {
        var error = Assert.Throws<OnnxRuntimeException>(static () => new InferenceSession([1, 2, 3]));

        Says(error, 1, "A graph", "ONNX Runtime");
        Assert.DoesNotContain("[ErrorCode", Line(error).Text, StringComparison.Ordinal);
    }

    private static void Says(Exception error, int code, params string[] parts)
    {
        var (actual, text) = Line(error);

        Assert.Equal(code, actual);
        Assert.All(parts, part => Assert.Contains(part, text, StringComparison.Ordinal));
        Assert.Equal(1, text.Count(static c => c == '\n'));
    }

    private static (int Code, string Text) Line(Exception error)
    {
        using var output = new StringWriter();
        var code = ErrorReport.Write(error, output, verbose: false);
        return (code, output.ToString());
    }
}
