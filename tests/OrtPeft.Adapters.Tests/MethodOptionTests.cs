using System.Text.Json.Nodes;
using OrtPeft.Adapters.Configuration;

namespace OrtPeft.Adapters.Tests;

public sealed class MethodOptionTests
{
    /// <summary>A value of each field that methods read.</summary>
    private static readonly Dictionary<string, string> Values = new(StringComparer.Ordinal)
    {
        ["--rank"] = "4",
        ["--alpha"] = "8",
        ["--dropout"] = "0.5",
        ["--target"] = """["wte"]""",
        ["--bias"] = "\"none\"",
        ["--rslora"] = "true",
        ["--dora"] = "true",
        ["--init"] = "true",
        ["--rank-pattern"] = """{"c_attn": 2}""",
        ["--alpha-pattern"] = """{"c_attn": 2}""",
        ["--preset"] = "\"pfeiffer\"",
        ["--reduction-factor"] = "4",
        ["--non-linearity"] = "\"relu\"",
        ["--layers"] = "[0]",
        ["--num-virtual-tokens"] = "4",
        ["--prompt-init-text"] = "\"a text\"",
    };

    public static TheoryData<string> Methods => [.. PeftMethods.All.Select(static m => m.Description.Name)];

    [Fact]
    public void Options_OfAllMethods_AreOneEach()
    {
        Assert.Equal(Values.Keys, PeftMethods.Options.Select(static o => o.Name));
    }

    [Theory]
    [MemberData(nameof(Methods))]
    public void Options_OfAMethod_KeepItsOrderAmongAll(string name)
    {
        var all = PeftMethods.Options.Select(static o => o.Name).ToList();

        var places = PeftMethods.Named(name).Description.Options.Select(o => all.IndexOf(o.Name)).ToList();

        Assert.Equal(places.Order(), places);
    }

    /// <summary>Methods that share an option have it in one form, under one line of help.</summary>
    [Theory]
    [MemberData(nameof(Methods))]
    public void Options_OfAMethod_AreThoseOfTheOthersButForTheField(string name)
    {
        var all = PeftMethods.Options.ToDictionary(static o => o.Name);

        Assert.All(
            PeftMethods.Named(name).Description.Options,
            o => Assert.Equal(all[o.Name] with { Field = "", Implies = null }, o with { Field = "", Implies = null }));
    }

    [Theory]
    [MemberData(nameof(Methods))]
    public void Options_OfAMethod_AreThoseThatItReads(string name)
    {
        var method = PeftMethods.Named(name);
        var own = method.Description.Options.ToDictionary(static o => o.Name, static o => o.Field);

        var read = PeftMethods.Options.Where(o => Reads(method, own.GetValueOrDefault(o.Name) ?? o.Field, o.Name));

        Assert.Equal(method.Description.Options.Select(static o => o.Name), read.Select(static o => o.Name));
    }

    private static bool Reads(IPeftMethod method, string field, string option)
    {
        var json = new JsonObject
        {
            ["peft_type"] = method.Description.PeftType,
            ["task_type"] = "CAUSAL_LM",
            [field] = JsonNode.Parse(Values[option]),
        };
        return method.ReadConfig(new ConfigFields(json, option)).Unknown.Count == 0;
    }
}
