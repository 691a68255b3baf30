using OrtPeft.Adapters.Lora;
using OrtPeft.Adapters.PromptTuning;
using OrtPeft.Inference.Generation;
using OrtPeft.Testing;
using OrtPeft.Tokenizers.Chat;

namespace OrtPeft.Text.Tests;

public sealed class TextGeneratorTests
{
    private static readonly GenerationOptions Short = new() { MaxNewTokens = 5 };

    [Fact]
    public void Generate_GivesTheGeneratorsTokensAsText()
    {
        var model = SmallGpt2.Open();
        using var generator = Generator.Open(model.Source.Model);
        using var text = model.OpenGenerator();

        var expected = model.Tokenizer.Decode(generator.Generate(model.Tokenizer, "Gets the", Short));

        Assert.Equal(expected, text.Generate("Gets the", Short));
        Assert.Equal(expected, string.Concat(text.Stream("Gets the", Short)));
    }

    [Fact]
    public void Generate_WithAnAdapter_IsTheAdaptersText()
    {
        var model = SmallGpt2.Open();
        var adapted = model.AddAdapter(new LoraConfig { R = 8, InitLoraWeights = false, LoraAlpha = 256 }, seed: 1);
        using var plain = model.OpenGenerator();
        using var other = model.OpenGenerator(adapted);

        Assert.NotEqual(plain.Generate("Gets the", Short), other.Generate("Gets the", Short));
    }

    [Fact]
    public void Generate_BesideVirtualTokens_EndsWhereTheirPositionsEnd()
    {
        var model = SmallGpt2.Open();
        var positions = model.Source.ContextLength!.Value;
        var adapted = model.AddAdapter(new PromptTuningConfig { NumVirtualTokens = 8 });
        var prompt = string.Concat(Enumerable.Repeat(" the", positions - 8));
        Assert.Equal(positions - 8, model.Tokenizer.Encode(prompt).Count);
        using var text = model.OpenGenerator(adapted);

        // The token after the last that fits is still generated.
        Assert.Single(model.Tokenizer.Encode(text.Generate(prompt, Short)));
        Assert.Throws<Tensors.SettingException>(() => text.Generate(prompt + " the", Short));
    }

    [Fact]
    public void OpenGenerator_WithAnAdapterOfAllPositions_IsRefused()
    {
        var model = SmallGpt2.Open();
        var all = model.Source.ContextLength!.Value;
        var adapted = model.AddAdapter(new PromptTuningConfig { NumVirtualTokens = all });

        Assert.Throws<Tensors.SettingException>(() => model.OpenGenerator(adapted));
    }

    [Fact]
    public void Answer_WithoutATemplate_ContinuesThePlainForm()
    {
        using var text = SmallGpt2.Open().OpenGenerator();

        var answer = text.Answer([new("system", "Be brief."), new("user", "Hi")], Short);

        Assert.Equal(text.Generate("system: Be brief.\nuser: Hi\nassistant:", Short).Trim(), answer);
    }

    [Fact]
    public void Answer_WithATemplate_ContinuesWhatItWrites()
    {
        using var folder = new TemporaryFolder();
        const string Template =
            "{% for m in messages %}[{{ m.role }}] {{ m.content }}\n{% endfor %}"
            + "{% if add_generation_prompt %}[assistant]{% endif %}";
        using var text = SmallGpt2.Templated(folder, Template).OpenGenerator();

        var answer = text.Answer([new("user", "Hi")], Short);

        Assert.Equal(text.Generate("[user] Hi\n[assistant]", Short).Trim(), answer);
    }

    [Fact]
    public void Answer_ThatTheTemplateRefuses_SaysWhy()
    {
        using var folder = new TemporaryFolder();
        using var text = SmallGpt2.Templated(folder, "{{ raise_exception('no system here') }}").OpenGenerator();

        var error = Assert.Throws<ChatTemplateException>(() => text.Answer([new("system", "Hi")]));

        Assert.Contains("no system here", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Answer_WithoutTurns_OrOfAnUnknownRole_IsRefused()
    {
        using var text = SmallGpt2.Open().OpenGenerator();

        Assert.Throws<Tensors.SettingException>(() => text.Answer([]));
        Assert.Throws<Tensors.SettingException>(() => text.Answer([new("bot", "Hi")]));
    }

    [Fact]
    public void Generate_WhenCancelled_Throws()
    {
        using var text = SmallGpt2.Open().OpenGenerator();

        Assert.Throws<OperationCanceledException>(
            () => text.Generate("Gets the", cancellation: new CancellationToken(canceled: true)));
    }
}
