using OrtPeft.Tokenizers.Chat.Jinja.Runtime;
using OrtPeft.Tokenizers.Chat.Jinja.Values;

namespace OrtPeft.Tokenizers.Chat.Jinja.Tree;

/// <summary><c>if</c>, <c>elif</c>, <c>else</c>: variables set in a branch outlive it.</summary>
internal sealed class If(
    IReadOnlyList<(Expression Test, Body Body)> branches, Body? otherwise, int line) : Statement(line)
{
    protected override Flow Run(Scope scope)
    {
        foreach (var (test, body) in branches)
        {
            if (Truth.Of(test.Evaluate(scope)))
                return body.Execute(scope);
        }

        return otherwise?.Execute(scope) ?? Flow.Next;
    }
}

/// <summary><c>break</c> and <c>continue</c>.</summary>
internal sealed class LoopControl(Flow flow, int line) : Statement(line)
{
    protected override Flow Run(Scope scope) => flow;
}

/// <summary><c>{% with a = 1 %}</c>: the values are those of the scope around it.</summary>
internal sealed class With(
    IReadOnlyList<(Expression Target, Expression Value)> variables, Body body, int line) : Statement(line)
{
    protected override Flow Run(Scope scope)
    {
        var inner = new Scope(scope);
        foreach (var (target, value) in variables)
            Assignment.Assign(target, value.Evaluate(scope), inner);
        return body.Execute(inner);
    }
}

/// <summary>
/// A named block, which nothing overrides here; unless scoped it sees the template's own variables only.
/// </summary>
internal sealed class Block(bool isScoped, Body body, int line) : Statement(line)
{
    protected override Flow Run(Scope scope) => body.Execute(new Scope(isScoped ? scope : scope.Run.Root));
}

/// <summary><c>{% generation %}…{% endgeneration %}</c>: what the model is to learn.</summary>
internal sealed class Generation(Body body, int line) : Statement(line)
{
    protected override Flow Run(Scope scope)
    {
        var (text, _) = body.Capture(new Scope(scope));
        scope.Run.Output.MarkGeneration(text.Length);
        scope.Run.Write(text);
        return Flow.Next;
    }
}
