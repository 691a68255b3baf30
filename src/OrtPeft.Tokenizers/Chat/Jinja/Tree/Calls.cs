using OrtPeft.Tokenizers.Chat.Jinja.Library;
using OrtPeft.Tokenizers.Chat.Jinja.Runtime;

namespace OrtPeft.Tokenizers.Chat.Jinja.Tree;

internal sealed class Call(Expression function, CallArguments arguments, int line) : Expression(line)
{
    protected override object? Compute(Scope scope) => Invoke(scope, caller: null);

    /// <summary>Calls with the body of a <c>call</c> block as <c>caller</c>.</summary>
    public object? Invoke(Scope scope, Macro? caller)
    {
        var callee = function.Evaluate(scope);
        var given = arguments.Evaluate(scope);
        if (caller is not null)
            given.AddNamed("caller", caller);
        scope.Run.Line = Line;
        return Callables.Call(callee, given);
    }
}

/// <summary><c>value | name(…)</c>.</summary>
internal sealed class FilterCall(Expression target, string name, CallArguments arguments, int line) : Expression(line)
{
    protected override object? Compute(Scope scope)
    {
        var value = target.Evaluate(scope);
        var given = arguments.Evaluate(scope);
        scope.Run.Line = Line;
        return Filters.Apply(name, value, given);
    }
}

/// <summary><c>value is name(…)</c>.</summary>
internal sealed class TestCall(Expression target, string name, CallArguments arguments, int line) : Expression(line)
{
    protected override object? Compute(Scope scope)
    {
        var value = target.Evaluate(scope);
        var given = arguments.Evaluate(scope);
        scope.Run.Line = Line;
        return Tests.Apply(name, value, given);
    }
}
