using OrtPeft.Tokenizers.Chat.Jinja.Runtime;
using OrtPeft.Tokenizers.Chat.Jinja.Values;

namespace OrtPeft.Tokenizers.Chat.Jinja.Tree;

/// <summary><c>{% set target = value %}</c>.</summary>
internal sealed class Assignment(Expression target, Expression value, int line) : Statement(line)
{
    protected override Flow Run(Scope scope)
    {
        var assigned = value.Evaluate(scope);
        scope.Run.Line = Line;
        Assign(target, assigned, scope);
        return Flow.Next;
    }

    /// <summary>Gives a name, a tuple of names or a namespace's attribute its value.</summary>
    public static void Assign(Expression target, object? value, Scope scope)
    {
        switch (target)
        {
            case NameReference name:
                scope.Set(name.Name, value);
                break;
            case NamespaceReference reference:
                var found = scope.TryFind(reference.Name, out var known) ? known : null;
                var space = found as Namespace
                    ?? throw new JinjaException("cannot assign attribute on non-namespace object");
                space.Set(reference.Attribute, value);
                break;
            case TupleLiteral tuple:
                Unpack(tuple, value, scope);
                break;
            default:
                throw new JinjaException("cannot assign to this expression");
        }
    }

    private static void Unpack(TupleLiteral tuple, object? value, Scope scope)
    {
        var expected = tuple.Items.Count;
        object?[] values = [.. Iteration.Of(value).Take(expected + 1)];
        if (values.Length > expected)
            throw new JinjaException($"too many values to unpack (expected {expected})");
        if (values.Length < expected)
            throw new JinjaException($"not enough values to unpack (expected {expected}, got {values.Length})");
        for (var i = 0; i < expected; i++)
            Assign(tuple.Items[i], values[i], scope);
    }
}

/// <summary><c>{% set target | filter %}…{% endset %}</c>.</summary>
internal sealed class BlockAssignment(Expression target, Expression? filter, Body body, int line) : Statement(line)
{
    protected override Flow Run(Scope scope)
    {
        var inner = new Scope(scope);
        var (text, flow) = body.Capture(inner);
        if (flow != Flow.Next)
            return flow;
        inner.Captured = text;
        Assignment.Assign(target, filter is null ? text : filter.Evaluate(inner), scope);
        return Flow.Next;
    }
}

/// <summary><c>{% filter name %}…{% endfilter %}</c>.</summary>
internal sealed class FilterBlock(Expression filter, Body body, int line) : Statement(line)
{
    protected override Flow Run(Scope scope)
    {
        var inner = new Scope(scope);
        var (text, flow) = body.Capture(inner);
        if (flow != Flow.Next)
            return flow;
        inner.Captured = text;
        scope.Run.Write(Display.Text(filter.Evaluate(inner)));
        return Flow.Next;
    }
}
