using System.Collections.Frozen;
using OrtPeft.Tokenizers.Chat.Jinja.Tree;

namespace OrtPeft.Tokenizers.Chat.Jinja.Syntax;

/// <summary>The tags, by name. Tags that reach for other templates are refused: a chat template stands alone.</summary>
internal sealed class TagParser
{
    private readonly FrozenDictionary<string, Func<Token, Statement>> _tags;
    private readonly TokenStream _stream;
    private readonly ExpressionParser _expressions;
    private readonly TargetParser _targets;
    private readonly MacroParser _macros;
    private readonly TemplateParser _template;

    public TagParser(TokenStream stream, ExpressionParser expressions, NamesInUse names, TemplateParser template)
    {
        _stream = stream;
        _expressions = expressions;
        _template = template;
        _targets = new TargetParser(stream);
        _macros = new MacroParser(stream, expressions, _targets, names, template);
        _tags = new Dictionary<string, Func<Token, Statement>>(StringComparer.Ordinal)
        {
            ["for"] = ParseFor,
            ["if"] = ParseIf,
            ["set"] = ParseSet,
            ["with"] = ParseWith,
            ["filter"] = ParseFilterBlock,
            ["block"] = ParseBlock,
            ["print"] = ParsePrint,
            ["macro"] = _macros.ParseMacro,
            ["call"] = _macros.ParseCallBlock,
            ["generation"] = _macros.ParseGeneration,
            ["break"] = tag => ParseLoopControl(tag, Flow.Break),
            ["continue"] = tag => ParseLoopControl(tag, Flow.Continue),
            ["include"] = Refuse,
            ["import"] = Refuse,
            ["from"] = Refuse,
            ["extends"] = Refuse,
            ["autoescape"] = Refuse,
        }.ToFrozenDictionary(StringComparer.Ordinal);
    }

    public bool Knows(string tag) => _tags.ContainsKey(tag);

    /// <summary>Reads a tag after its name, up to its last word.</summary>
    public Statement Parse(Token tag) => _tags[tag.Text](tag);

    private static Statement Refuse(Token tag) =>
        throw new JinjaException($"the tag '{tag.Text}' is not supported", JinjaFailure.Syntax, tag.Line);

    private For ParseFor(Token tag)
    {
        var target = _targets.Parse(withNamespace: false, endsAt: "in");
        _stream.ExpectName("in");
        var items = _expressions.ParseTuple(withConditional: false, endsAt: "recursive");
        var test = _stream.SkipName("if") ? _expressions.Parse() : null;
        var isRecursive = _stream.SkipName("recursive");
        _macros.LoopDepth++;
        var body = _template.ParseBody("endfor", "else");
        _macros.LoopDepth--;
        var otherwise = _stream.Next().Text == "else" ? _template.ParseBodyAndEnd("endfor") : null;
        return new For(target, items, test, isRecursive, body, otherwise, tag.Line);
    }

    private If ParseIf(Token tag)
    {
        var branches = new List<(Expression, Body)>();
        while (true)
        {
            var test = _expressions.ParseTuple(withConditional: false);
            branches.Add((test, _template.ParseBody("elif", "else", "endif")));
            var end = _stream.Next().Text;
            if (end == "elif")
                continue;
            var otherwise = end == "else" ? _template.ParseBodyAndEnd("endif") : null;
            return new If(branches, otherwise, tag.Line);
        }
    }

    private Statement ParseSet(Token tag)
    {
        var target = _targets.Parse(withNamespace: true);
        if (_stream.SkipOperator("="))
            return new Assignment(target, _expressions.ParseTuple(), tag.Line);
        var filter = _macros.ParseBlockFilters(isFirst: false);
        return new BlockAssignment(target, filter, _template.ParseBodyAndEnd("endset"), tag.Line);
    }

    private With ParseWith(Token tag)
    {
        var variables = new List<(Expression, Expression)>();
        while (_stream.Current.Kind != TokenKind.TagEnd)
        {
            if (variables.Count > 0)
                _stream.ExpectOperator(",");
            Expression target = new NameReference(_targets.ParseName(), tag.Line);
            _stream.ExpectOperator("=");
            variables.Add((target, _expressions.Parse()));
        }

        return new With(variables, _template.ParseBodyAndEnd("endwith"), tag.Line);
    }

    private FilterBlock ParseFilterBlock(Token tag)
    {
        var filter = _macros.ParseBlockFilters(isFirst: true)!;
        return new FilterBlock(filter, _template.ParseBodyAndEnd("endfilter"), tag.Line);
    }

    private Block ParseBlock(Token tag)
    {
        var name = _targets.ParseName();
        var isScoped = _stream.SkipName("scoped");
        if (_stream.Current.IsName("required"))
            throw _stream.Error("a required block is not supported: nothing overrides it");
        var body = _template.ParseBodyAndEnd("endblock");
        _stream.SkipName(name);
        return new Block(isScoped, body, tag.Line);
    }

    private PrintAll ParsePrint(Token tag)
    {
        var prints = new List<Print>();
        while (_stream.Current.Kind != TokenKind.TagEnd)
        {
            if (prints.Count > 0)
                _stream.ExpectOperator(",");
            prints.Add(new Print(_expressions.Parse(), tag.Line));
        }

        return new PrintAll(prints, tag.Line);
    }

    private LoopControl ParseLoopControl(Token tag, Flow flow) => _macros.LoopDepth > 0
        ? new LoopControl(flow, tag.Line)
        : throw new JinjaException($"'{tag.Text}' outside of a loop", JinjaFailure.Syntax, tag.Line);
}
