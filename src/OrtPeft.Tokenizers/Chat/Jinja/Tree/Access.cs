using OrtPeft.Tokenizers.Chat.Jinja.Runtime;
using OrtPeft.Tokenizers.Chat.Jinja.Values;

namespace OrtPeft.Tokenizers.Chat.Jinja.Tree;

internal sealed class NameReference(string name, int line) : Expression(line)
{
    public string Name => name;

    protected override object? Compute(Scope scope) =>
        scope.TryFind(name, out var value) ? value : Undefined.OfName(name);
}

/// <summary>An attribute of a namespace as the target of an assignment: <c>ns.total</c>.</summary>
internal sealed class NamespaceReference(string name, string attribute, int line) : Expression(line)
{
    public string Attribute => attribute;

    public string Name => name;

    protected override object? Compute(Scope scope) =>
        throw new JinjaException("a namespace's attribute is only assigned to here");
}

/// <summary><c>value.name</c>: the attribute, else the item.</summary>
internal sealed class AttributeAccess(Expression target, string name, int line) : Expression(line)
{
    protected override object? Compute(Scope scope)
    {
        var value = target.Evaluate(scope);
        scope.Run.Line = Line;
        return Access.Attribute(value, name);
    }
}

/// <summary><c>value[key]</c>: the item, else the attribute.</summary>
internal sealed class ItemAccess(Expression target, Expression key, int line) : Expression(line)
{
    protected override object? Compute(Scope scope)
    {
        var value = target.Evaluate(scope);
        var at = key.Evaluate(scope);
        scope.Run.Line = Line;
        return Access.Item(value, at);
    }
}

/// <summary><c>value[start:stop:step]</c>.</summary>
internal sealed class SliceAccess(
    Expression target, Expression? start, Expression? stop, Expression? step, int line) : Expression(line)
{
    protected override object? Compute(Scope scope)
    {
        var value = target.Evaluate(scope);
        var slice = new Slice(start?.Evaluate(scope), stop?.Evaluate(scope), step?.Evaluate(scope));
        scope.Run.Line = Line;
        var part = slice.Of(value);
        scope.Run.Spend(Sizes.Of(part));
        return part;
    }
}

/// <summary>The text that a block has captured, as the input of the filters on the block.</summary>
internal sealed class CapturedText(int line) : Expression(line)
{
    protected override object? Compute(Scope scope) => scope.Captured;
}
