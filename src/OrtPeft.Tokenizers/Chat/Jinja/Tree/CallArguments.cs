using OrtPeft.Tokenizers.Chat.Jinja.Runtime;
using OrtPeft.Tokenizers.Chat.Jinja.Values;

namespace OrtPeft.Tokenizers.Chat.Jinja.Tree;

/// <summary>The arguments between the parentheses of a call: <c>(a, name=b, *list, **dict)</c>.</summary>
internal sealed record CallArguments(
    IReadOnlyList<Expression> Positional,
    IReadOnlyList<(string Name, Expression Value)> Named,
    Expression? Rest = null,
    Expression? RestNamed = null)
{
    public static CallArguments None { get; } = new([], []);

    public Arguments Evaluate(Scope scope)
    {
        var arguments = new Arguments(scope);
        foreach (var value in Positional)
            arguments.Positional.Add(value.Evaluate(scope));
        if (Rest is not null)
            arguments.Positional.AddRange(Iteration.Of(Rest.Evaluate(scope)));
        foreach (var (name, value) in Named)
            arguments.AddNamed(name, value.Evaluate(scope));
        if (RestNamed?.Evaluate(scope) is not { } rest)
            return arguments;
        var named = rest as PyDict ?? throw new JinjaException("argument after ** must be a mapping");
        foreach (var (name, value) in named.Pairs)
            arguments.AddNamed(name as string ?? throw new JinjaException("keywords must be strings"), value);
        return arguments;
    }
}
