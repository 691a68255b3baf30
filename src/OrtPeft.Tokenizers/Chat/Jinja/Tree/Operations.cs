using System.Text;
using OrtPeft.Tokenizers.Chat.Jinja.Runtime;
using OrtPeft.Tokenizers.Chat.Jinja.Values;

namespace OrtPeft.Tokenizers.Chat.Jinja.Tree;

internal sealed class Binary(string op, Expression left, Expression right, int line) : Expression(line)
{
    protected override object? Compute(Scope scope)
    {
        var first = left.Evaluate(scope);
        var second = right.Evaluate(scope);
        scope.Run.Line = Line;
        var result = Arithmetic.Apply(op, first, second);
        scope.Run.Spend(Sizes.Of(result));
        return result;
    }
}

internal sealed class Unary(string op, Expression operand, int line) : Expression(line)
{
    protected override object? Compute(Scope scope)
    {
        var value = operand.Evaluate(scope);
        scope.Run.Line = Line;
        return Arithmetic.Sign(op, value);
    }
}

internal sealed class Not(Expression operand, int line) : Expression(line)
{
    protected override object? Compute(Scope scope) => !Truth.Of(operand.Evaluate(scope));
}

/// <summary><c>and</c>, <c>or</c>: the operand that decides, not its truth.</summary>
internal sealed class Logical(bool isAnd, Expression left, Expression right, int line) : Expression(line)
{
    protected override object? Compute(Scope scope)
    {
        var first = left.Evaluate(scope);
        return Truth.Of(first) == isAnd ? right.Evaluate(scope) : first;
    }
}

/// <summary>
/// A chain such as <c>1 &lt; x &lt;= 3</c>: every operand is evaluated once, until one comparison fails.
/// </summary>
internal sealed class Comparison(
    Expression first, IReadOnlyList<(string Op, Expression Operand)> rest, int line) : Expression(line)
{
    protected override object? Compute(Scope scope)
    {
        var left = first.Evaluate(scope);
        foreach (var (op, operand) in rest)
        {
            var right = operand.Evaluate(scope);
            scope.Run.Line = Line;
            if (!Comparisons.Holds(op, left, right))
                return false;
            left = right;
        }

        return true;
    }
}

/// <summary><c>a ~ b</c>: both as text.</summary>
internal sealed class Concatenation(IReadOnlyList<Expression> parts, int line) : Expression(line)
{
    protected override object? Compute(Scope scope)
    {
        var text = new StringBuilder();
        foreach (var part in parts)
        {
            text.Append(Display.Text(part.Evaluate(scope)));
            scope.Run.Line = Line;
            scope.Run.Check(text.Length);
        }

        scope.Run.Spend(text.Length);
        return text.ToString();
    }
}

/// <summary><c>a if test else b</c>.</summary>
internal sealed class Conditional(Expression test, Expression then, Expression? otherwise, int line) : Expression(line)
{
    protected override object? Compute(Scope scope)
    {
        if (Truth.Of(test.Evaluate(scope)))
            return then.Evaluate(scope);
        return otherwise is not null
            ? otherwise.Evaluate(scope)
            : new Undefined(
                $"the inline if-expression on line {Line} evaluated to false and no else section was defined.");
    }
}
