using System.Text;
using OrtPeft.Onnx.Decoders;
using OrtPeft.Training.Data;

namespace OrtPeft.Training.Tests.Data;

/// <summary>Reads rows from text and makes rows in memory.</summary>
internal static class Rows
{
    public static List<Example> Read(string content, ExampleReaderOptions? options = null) =>
        Read(content, new CharTokenizer(), options);

    public static List<Example> Read(string content, CharTokenizer? tokenizer, ExampleReaderOptions? options = null) =>
        Read(Encoding.UTF8.GetBytes(content), tokenizer, options);

    public static List<Example> Read(byte[] content, CharTokenizer? tokenizer, ExampleReaderOptions? options = null)
    {
        using var stream = new MemoryStream(content);
        return [.. new ExampleReader(tokenizer, options).Read(stream, "rows.jsonl")];
    }

    public static TrainingDataException ReadError(string content, ExampleReaderOptions? options = null) =>
        Assert.Throws<TrainingDataException>(() => Read(content, options));

    /// <summary>The row as text, a supervised token as it is and another as a dot; end-of-text is <c>$</c>.</summary>
    public static string Supervision(Example example) =>
        string.Concat(example.Labels.Select(label => label switch
        {
            DecoderLabels.Ignored => '.',
            0 => '$',
            _ => (char)label,
        }));

    public static string Text(Example example) => new CharTokenizer().Decode(example.InputIds).Replace('\0', '$');
}
