using System.Text.Json.Nodes;
using OrtPeft.Tokenizers.Tests.Reference;

namespace OrtPeft.Tokenizers.Tests;

/// <summary>What stands around a text by RoBERTa's, BERT's and templates' post-processors.</summary>
public sealed class PostProcessorTests
{
    public static TheoryData<string, int?, int?> Processors => new()
    {
        { """{"type":"RobertaProcessing","sep":["</s>",301],"cls":["<s>",300],"trim_offsets":true}""", 300, 301 },
        { """{"type":"BertProcessing","sep":["</s>",301],"cls":["<s>",300]}""", 300, 301 },
        { Template(Token("<s>"), Text, Token("</s>")), 300, 301 },
        { Template(Text, Token("</s>")), null, 301 },
        { Template(Token("<s>"), Text), 300, null },
        { Template(Text), null, null },
        { $$"""{"type":"Sequence","processors":[{"type":"ByteLevel"},{{Template(Token("<s>"), Text)}}]}""", 300, null },
        { """{"type":"ByteLevel","trim_offsets":false}""", null, null },
    };

    private const string Text = """{"Sequence":{"id":"A","type_id":0}}""";

    [Theory]
    [MemberData(nameof(Processors))]
    public void Load_ReadsWhatStandsAroundATextAndWritesItBack(string processor, int? start, int? end)
    {
        var loaded = Load(processor);
        using var folder = new TempFolder();
        loaded.Save(folder.Path);

        foreach (var tokenizer in (ByteLevelBpe[])[loaded, (ByteLevelBpe)TokenizerFolder.Load(folder.Path)])
        {
            Assert.Equal(start, tokenizer.BeginOfTextId);
            Assert.Equal(end, tokenizer.EndOfTextId);
        }
    }

    [Fact]
    public void Load_WhenATemplateHasTwoTokensBeforeAText_HasBothInTheFrame()
    {
        var tokenizer = Load(Template(Token("<s>"), Token("</s>"), Text));

        Assert.Equal([300, 301, 7], tokenizer.Frame.Around([7]));
    }

    private static ByteLevelBpe Load(string processor) => TinyTokenizer.Load(document =>
    {
        document["added_tokens"] = new JsonArray(
            TinyTokenizer.AddedToken("<s>", 300, "special"), TinyTokenizer.AddedToken("</s>", 301, "special"));
        document["post_processor"] = JsonNode.Parse(processor);
    });

    private static string Token(string name) => $$$"""{"SpecialToken":{"id":"{{{name}}}","type_id":0}}""";

    private static string Template(params string[] pieces) =>
        $$$"""{"type":"TemplateProcessing","single":[{{{string.Join(',', pieces)}}}],"special_tokens":{}}""";
}
