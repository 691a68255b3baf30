using OrtPeft.Tokenizers.Chat.Jinja.Runtime;
using OrtPeft.Tokenizers.Chat.Jinja.Values;

namespace OrtPeft.Tokenizers.Chat.Jinja.Tree;

/// <summary>
/// The parameters of a macro or of the body of a <c>call</c> block, and the extras of Jinja's that its body names.
/// </summary>
internal sealed record MacroSignature(
    IReadOnlyList<(string Name, Expression? Default)> Parameters,
    bool TakesRest,
    bool TakesRestNamed,
    bool TakesCaller);

/// <summary><c>{% macro name(a, b=1) %}</c>.</summary>
internal sealed class MacroDefinition(string name, MacroSignature signature, Body body, int line) : Statement(line)
{
    protected override Flow Run(Scope scope)
    {
        scope.Set(name, new Macro(name, signature, body, scope));
        return Flow.Next;
    }
}

/// <summary><c>{% call(x) name(…) %}…{% endcall %}</c>: the body is the <c>caller</c> of what is called.</summary>
internal sealed class CallBlock(Call call, MacroSignature signature, Body body, int line) : Statement(line)
{
    protected override Flow Run(Scope scope)
    {
        var result = call.Invoke(scope, new Macro(null, signature, body, scope));
        scope.Run.Write(Display.Text(result));
        return Flow.Next;
    }
}
