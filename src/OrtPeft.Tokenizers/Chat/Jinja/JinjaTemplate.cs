using OrtPeft.Tokenizers.Chat.Jinja.Runtime;
using OrtPeft.Tokenizers.Chat.Jinja.Syntax;
using OrtPeft.Tokenizers.Chat.Jinja.Tree;

namespace OrtPeft.Tokenizers.Chat.Jinja;

/// <summary>
/// A template in Jinja2 as transformers sets it up: <c>trim_blocks</c>, <c>lstrip_blocks</c>, loop controls, the
/// generation tag, an immutable sandbox. Read once, rendered often, from several threads.
/// </summary>
internal sealed class JinjaTemplate
{
    private readonly Body _body;

    private JinjaTemplate(Body body) => _body = body;

    /// <exception cref="JinjaException">The template cannot be read.</exception>
    public static JinjaTemplate Parse(string template) => new(TemplateParser.Parse(template));

    /// <summary>Renders with some variables.</summary>
    /// <exception cref="JinjaException">The template raises, or does what Python or a limit refuses.</exception>
    public RenderedTemplate Render(IEnumerable<KeyValuePair<string, object?>> variables, DateTimeOffset now)
    {
        var run = new Rendering(now);
        foreach (var (name, value) in variables)
            run.Root.Set(name, value);
        try
        {
            _body.Execute(run.Root);
        }
        catch (JinjaException error)
        {
            throw error.At(run.Line);
        }

        return new RenderedTemplate(
            run.Output.ToString(), run.Output.Generations, run.Output.HasLostGeneration);
    }
}
