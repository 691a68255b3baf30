using OrtPeft.Tokenizers.Chat.Jinja.Tree;

namespace OrtPeft.Tokenizers.Chat.Jinja.Syntax;

/// <summary>Tags whose body is a function of its own: macros, call blocks and generation blocks.</summary>
internal sealed class MacroParser(
    TokenStream stream,
    ExpressionParser expressions,
    TargetParser targets,
    NamesInUse names,
    TemplateParser template)
{
    /// <summary>How many loops are open in the function being read; <c>break</c> needs one.</summary>
    public int LoopDepth { get; set; }

    public Expression? ParseBlockFilters(bool isFirst) => expressions.Primary.ParseBlockFilters(isFirst);

    public MacroDefinition ParseMacro(Token tag)
    {
        var name = targets.ParseName();
        List<(string, Expression?)> parameters = ParseParameters();
        var (body, used) = ParseFunction("endmacro");
        return new MacroDefinition(name, Signature(parameters, used), body, tag.Line);
    }

    public CallBlock ParseCallBlock(Token tag)
    {
        List<(string, Expression?)> parameters = stream.Current.Is("(") ? ParseParameters() : [];
        var call = expressions.Parse() as Call
            ?? throw new JinjaException("expected call", JinjaFailure.Syntax, tag.Line);
        var (body, used) = ParseFunction("endcall");
        return new CallBlock(call, Signature(parameters, used), body, tag.Line);
    }

    public Generation ParseGeneration(Token tag) => new(ParseFunction("endgeneration").Body, tag.Line);

    private (Body Body, IReadOnlySet<string> Used) ParseFunction(string end)
    {
        var outer = LoopDepth;
        LoopDepth = 0;
        names.Open();
        var body = template.ParseBodyAndEnd(end);
        LoopDepth = outer;
        return (body, names.Close());
    }

    private static MacroSignature Signature(List<(string Name, Expression?)> parameters, IReadOnlySet<string> used)
    {
        return new MacroSignature(parameters, Uses("varargs"), Uses("kwargs"), Uses("caller"));

        bool Uses(string name) => used.Contains(name) && parameters.All(p => p.Name != name);
    }

    private List<(string Name, Expression? Default)> ParseParameters()
    {
        stream.ExpectOperator("(");
        var parameters = new List<(string Name, Expression? Default)>();
        while (!stream.SkipOperator(")"))
        {
            if (parameters.Count > 0)
                stream.ExpectOperator(",");
            var name = targets.ParseName();
            var value = stream.SkipOperator("=") ? expressions.Parse() : null;
            if (value is null && parameters is [.., { Default: not null }])
                throw stream.Error("non-default argument follows default argument");
            parameters.Add((name, value));
        }

        return parameters;
    }
}
