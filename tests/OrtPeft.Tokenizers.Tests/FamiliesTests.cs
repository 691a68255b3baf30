using OrtPeft.Tokenizers.Tests.Reference;

namespace OrtPeft.Tokenizers.Tests;

/// <summary>Every family against tokenizers 0.23, sentencepiece 0.2 and tiktoken 0.14.</summary>
public sealed class FamiliesTests(Families families) : IClassFixture<Families>
{
    public static TheoryData<string> Names => [.. Families.Names];

    [Theory]
    [MemberData(nameof(Names))]
    public void Encode_GivesTheLibrarysIds(string name)
    {
        var tokenizer = families.Load(name);
        var special = Families.Golden<int[]>(name, "encode_special");

        int[][] ids = [.. Families.Strings.Select(text => Encode(tokenizer, name, text))];

        Assert.Equal(Families.Golden<int[]>(name, "encode")!, ids);
        if (special is not null)
            Assert.Equal(special, ids.Select(text => tokenizer.Frame.Around(text).ToArray()));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Decode_GivesTheLibrarysText(string name)
    {
        var tokenizer = families.Load(name);
        var skipped = Families.Golden<string>(name, "decode_skip_special");
        var special = Families.Golden<int[]>(name, "encode_special");

        Assert.Equal(
            Families.Golden<string>(name, "decode")!, Families.Golden<int[]>(name, "encode")!.Select(tokenizer.Decode));
        if (skipped is not null)
            Assert.Equal(skipped, special!.Select(ids => tokenizer.Decode(ids.Where(id => !tokenizer.IsSpecial(id)))));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void StreamDecoder_OfAnyText_JoinsToWhatDecodeGives(string name)
    {
        var tokenizer = families.Load(name);
        foreach (var ids in Families.Golden<int[]>(name, "encode")!)
        {
            var decoder = new TokenStreamDecoder(tokenizer);

            var text = string.Concat(ids.Select(decoder.Append)) + decoder.Flush();

            Assert.Equal(tokenizer.Decode(ids), text);
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Encode_OfLoneSurrogates_TakesThemForReplacementCharacters(string name)
    {
        var tokenizer = families.Load(name);

        Assert.Equal(tokenizer.Encode("a\uFFFDb\uFFFD"), tokenizer.Encode("a\uD800b\uDC00"));
        Assert.Empty(tokenizer.Encode(""));
    }

    /// <summary>In order, inside the text, and of more than nothing.</summary>
    [Theory]
    [MemberData(nameof(Names))]
    public void EncodeSpans_OfAnyText_LieInItInOrder(string name)
    {
        if (families.Load(name) is not PipelineTokenizer tokenizer)
            return;
        foreach (var text in Families.Strings)
        {
            var last = 0;
            Assert.All(tokenizer.EncodeSpans(text, SpecialTokenHandling.Recognize), span =>
            {
                Assert.InRange(span.Start, 0, text.Length - 1);
                Assert.InRange(span.End, span.Start + 1, text.Length);
                Assert.True(span.Start >= last);
                last = span.Start;
            });
        }
    }

    private static int[] Encode(ITokenizer tokenizer, string name, string text) => [.. tokenizer.Encode(
        text, Families.IsPlain(name) ? SpecialTokenHandling.TreatAsText : SpecialTokenHandling.Recognize)];
}
