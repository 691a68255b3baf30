using OrtPeft.Tokenizers.Chat.Jinja.Runtime;
using OrtPeft.Tokenizers.Chat.Jinja.Values;

namespace OrtPeft.Tokenizers.Chat.Jinja.Tree;

internal sealed class Constant(object? value, int line) : Expression(line)
{
    protected override object? Compute(Scope scope) => value;
}

internal sealed class ListLiteral(IReadOnlyList<Expression> items, int line) : Expression(line)
{
    protected override object? Compute(Scope scope) => new PyList(items.Select(item => item.Evaluate(scope)));
}

internal sealed class TupleLiteral(IReadOnlyList<Expression> items, int line) : Expression(line)
{
    public IReadOnlyList<Expression> Items => items;

    protected override object? Compute(Scope scope) => new PyTuple(items.Select(item => item.Evaluate(scope)));
}

internal sealed class DictLiteral(IReadOnlyList<(Expression Key, Expression Value)> items, int line) : Expression(line)
{
    protected override object? Compute(Scope scope)
    {
        var dict = new PyDict();
        foreach (var (key, value) in items)
            dict.Set(key.Evaluate(scope), value.Evaluate(scope));
        return dict;
    }
}
