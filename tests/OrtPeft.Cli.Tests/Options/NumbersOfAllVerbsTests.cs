using System.CommandLine;
using System.Globalization;
using OrtPeft.Cli.Tests.Running;

namespace OrtPeft.Cli.Tests.Options;

/// <summary>Every option that takes a number reads it in the same way, in every verb.</summary>
public sealed class NumbersOfAllVerbsTests
{
    private static readonly Type[] Numbers = [typeof(int), typeof(long), typeof(float), typeof(double)];

    [Fact]
    public void NumberWithAComma_IsRefusedUnderACommaCulture()
    {
        var before = CultureInfo.CurrentCulture;
        CultureInfo.CurrentCulture = CultureInfo.GetCultureInfo("de-DE");
        using var interruption = new Interruption();
        var host = new Host
        {
            Output = TextWriter.Null,
            Error = TextWriter.Null,
            Input = TextReader.Null,
            Interruption = interruption,
        };
        try
        {
            var options = CommandLine.Verbs(host).SelectMany(
                static v => v.Completed().Options.Where(IsNumber).Select(o => (Verb: v, Option: o))).ToList();

            Assert.NotEmpty(options);
            Assert.All(options, static pair => Assert.Contains(
                pair.Verb.Parse([pair.Option.Name, "2,5"]).Errors,
                e => e.Message.StartsWith($"{pair.Option.Name} is '2,5'", StringComparison.Ordinal)));
        }
        finally
        {
            CultureInfo.CurrentCulture = before;
        }
    }

    [Theory]
    [InlineData("--rank-pattern", "c_attn=2,5", "'5'")]
    [InlineData("--alpha-pattern", "c_attn=1_0", "'c_attn=1_0'")]
    [InlineData("--rank-pattern", "c_attn=2,c_attn=3", "'c_attn' twice")]
    [InlineData("--rank-pattern", "", "--rank-pattern is empty")]
    [InlineData("--layers", "0,1e0", "'1e0'")]
    [InlineData("--layers", ",", "at least one")]
    [InlineData("--set", "lora_alpha=2,5", "lora_alpha is \"2,5\"", "write 2.5")]
    [InlineData("--set", "r=0x10", "r is \"0x10\"", "whole number")]
    [InlineData("--set", "lora_dropout=NaN", "lora_dropout is \"NaN\"", "number")]
    [InlineData("--set", "peft_type=IA3", "peft_type", "--method")]
    public void NumberInsideAText_IsRefused(string option, string value, params string[] said) =>
        CliRun.Of("inspect", Fixture, option, value).Refused(2, said);

    [Fact]
    public void Set_OfWhatAnOptionSays_IsRefused() =>
        CliRun.Of("inspect", Fixture, "--alpha", "8", "--set", "lora_alpha=16").Refused(2, "lora_alpha", "--alpha");

    [Fact]
    public void Set_Twice_IsRefused() =>
        CliRun.Of("inspect", Fixture, "--set", "r=2", "--set", "r=4").Refused(2, "--set r", "another --set r");

    [Fact]
    public void WeightOfAnAdapter_WithAComma_IsRefused() =>
        CliRun.Of("mix", Fixture, "--adapter", "a=0,7", "--adapter", "b", "--out", "none")
            .Refused(2, "'a=0,7'", "write 0.7");

    private static string Fixture => Path.Combine(AppContext.BaseDirectory, "Fixtures", "base", "g2l");

    private static bool IsNumber(Option option) =>
        Numbers.Contains(Nullable.GetUnderlyingType(option.ValueType) ?? option.ValueType);
}
