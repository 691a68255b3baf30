using OrtPeft.Tokenizers.Chat.Jinja;
using OrtPeft.Tokenizers.Chat.Jinja.Values;

namespace OrtPeft.Tokenizers.Tests.Chat.Jinja;

public sealed class JinjaTemplateTests
{
    private static readonly DateTimeOffset Now = new(2026, 2, 3, 14, 5, 6, TimeSpan.Zero);

    [Fact]
    public void Render_OfTheSnippets_IsJinjasText()
    {
        var goldens = ChatGoldens.JsonOf("snippets.json");
        KeyValuePair<string, object?>[] variables =
        [
            .. ((PyDict)JsonValues.Of(goldens.GetProperty("extra"))!).Pairs
                .Select(static p => KeyValuePair.Create((string)p.Key!, p.Value)),
            new("messages", JsonValues.Of(goldens.GetProperty("messages"))),
            new("tools", null),
        ];

        var wrong = goldens.GetProperty("cases").EnumerateArray().Select(golden =>
        {
            var source = golden.GetProperty("source").GetString()!;
            var expected = golden.TryGetProperty("rendered", out var text) ? text.GetString() : null;
            var rendered = TryRender(source, variables);
            return rendered == expected ? null : $"{source}: {rendered}";
        }).OfType<string>();

        Assert.Empty(wrong);
    }

    [Theory]
    [InlineData("{{ 'x' * 100000000 }}")]
    [InlineData("{{ [1] * 100000000 }}")]
    [InlineData("{{ 9 ** 9 ** 9 ** 9 ** 9 ** 9 }}")]
    [InlineData("{% set n = namespace(s='xx') %}{% for i in range(99) %}{% set n.s = n.s ~ n.s %}{% endfor %}")]
    [InlineData("{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}")]
    [InlineData("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}")]
    [InlineData("{% macro m() %}{% call m() %}{{ caller() }}{% endcall %}{% endmacro %}{{ m() }}")]
    [InlineData("{% set ns = namespace() %}{% set ns.me = [ns] %}{{ ns }}")]
    [InlineData("{% set n = namespace(l=1) %}{% for i in range(99999) %}{% set n.l = [n.l] %}{% endfor %}{{ n.l }}")]
    [InlineData("{{ 'x' | center(999999999) }}{{ '%999999999d' % 1 }}{{ '{:999999999}'.format(1) }}")]
    [InlineData("{{ range(99999) | map('string') | join('y' * 100000) }}")]
    [InlineData("{{ 'aaaaaaaaaaaaaaaa' | replace('', 'b' * 9999999) }}")]
    [InlineData("{{ '\\n' * 99999 | indent(999999, true, true) }}")]
    public void Render_OfAHostileTemplate_EndsWithALine(string template)
    {
        Assert.Throws<JinjaException>(() => JinjaTemplate.Parse(template).Render([], Now));
    }

    [Theory]
    [InlineData("{{ ", "(", "1", ")", " }}")]
    [InlineData("{{ ", "[", "1", "]", " }}")]
    [InlineData("{{ ", "not ", "1", "", " }}")]
    [InlineData("{{ ", "-", "1", "", " }}")]
    [InlineData("{{ ", "x[", "1", "]", " }}")]
    [InlineData("", "{% if 1 %}", "1", "{% endif %}", "")]
    [InlineData("", "{% macro m() %}", "1", "{% endmacro %}", "")]
    public void Parse_OfDeepNesting_EndsWithALine(string before, string open, string inner, string close, string after)
    {
        const int Levels = 200_000;
        var source = before + string.Concat(Enumerable.Repeat(open, Levels)) + inner
            + string.Concat(Enumerable.Repeat(close, Levels)) + after;

        Assert.Throws<JinjaException>(() => JinjaTemplate.Parse(source));
    }

    [Theory]
    [InlineData("{{ [1].append(2) }}")]
    [InlineData("{{ {}.update({}) }}")]
    [InlineData("{{ {}.pop('a') }}")]
    [InlineData("{{ ''.__class__.__mro__ }}")]
    [InlineData("{{ (1).__class__ ~ ''.__doc__.x }}")]
    [InlineData("{{ ''['__class__'].x }}")]
    [InlineData("{{ '{0.__class__.x}'.format(1) }}")]
    public void Render_BeyondTheSandbox_Fails(string template)
    {
        Assert.Throws<JinjaException>(() => JinjaTemplate.Parse(template).Render([], Now));
    }

    [Theory]
    [InlineData("{{ 'a' | nosuch }}")]
    [InlineData("{{ {'a': 1}.items }}")]
    [InlineData("{{ [1] | map('string') }}")]
    [InlineData("{{ 'a'.encode() }}")]
    [InlineData("{{ [1] | random }}")]
    [InlineData("{% include 'x' %}")]
    [InlineData("{% break %}")]
    [InlineData("{% for x in [1] %}{% macro m() %}{% break %}{% endmacro %}{% endfor %}")]
    public void Render_OfWhatIsNotSupported_FailsInsteadOfDiffering(string template)
    {
        Assert.Throws<JinjaException>(() => JinjaTemplate.Parse(template).Render([], Now));
    }

    [Theory]
    [InlineData("{{ 0.1 + 0.2 }} {{ 1e23 }} {{ 123456789012345680.0 }}", "0.30000000000000004 1e+23 1.2345678901234568e+17")]
    [InlineData("{{ 2.675 | round(2) }} {{ 0.5 | round }} {{ 1.5 | round }}", "2.67 0.0 2.0")]
    [InlineData("{{ 'ΟΔΟΣ'.lower() }} {{ 'ŉ ﬁ ǆ'.title() }}", "οδος ʼN Fi ǅ")]
    [InlineData("{{ '😀'[0] == '😀' }} {{ '\uD83D\uDE00\uFB01' < '\uFB01' }}", "True False")]
    [InlineData("{{ '\\u2028' | tojson(ensure_ascii=true) }}{{ '\\x7f' | tojson }}", "\"\\u2028\"\"\u007f\"")]
    [InlineData("{{ {1: 'a', 1.0: 'b', true: 'c'} }}", "{1: 'c'}")]
    [InlineData("{% for x in [1, 2, 3] if x > 1 %}{{ loop.index }}/{{ loop.length }} {% endfor %}", "1/2 2/2 ")]
    [InlineData("{% for x in [1] %}a{% continue %}{% else %}b{% endfor %}", "ab")]
    [InlineData("a\r\n{% if true %}\r\nb\r{% endif %}\r\n", "a\nb\n")]
    [InlineData("{{ ['x'] | safe + '<' }}{{ '<' | e + '<' }}", "['x']&lt;&lt;&lt;")]
    public void Render_WhereDotNetWouldDiffer_FollowsPython(string template, string expected)
    {
        var text = JinjaTemplate.Parse(template).Render([], Now).Text;

        Assert.Equal(expected, text);
    }

    private static string? TryRender(string source, KeyValuePair<string, object?>[] variables)
    {
        try
        {
            return JinjaTemplate.Parse(source).Render(variables, Now).Text;
        }
        catch (JinjaException)
        {
            return null;
        }
    }
}
