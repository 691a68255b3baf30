using OrtPeft.Tokenizers.Chat.Jinja.Tree;
using OrtPeft.Tokenizers.Chat.Jinja.Values;

namespace OrtPeft.Tokenizers.Chat.Jinja.Runtime;

/// <summary>A macro, or the body of a call block, with the scope in which it was defined.</summary>
internal sealed class Macro(string? name, MacroSignature signature, Body body, Scope definedIn) : ICallable, IAttributes
{
    public string Display => name is null ? "<Macro anonymous>" : $"<Macro {PythonText.Repr(name)}>";

    public object? Call(Arguments arguments)
    {
        using var call = arguments.Run.Nested();
        var scope = new Scope(definedIn);
        Bind(arguments, scope);
        return body.Capture(scope).Text;
    }

    public bool TryGet(string attribute, out object? value)
    {
        value = attribute switch
        {
            "name" => name,
            "arguments" => new PyTuple(signature.Parameters.Select(static p => (object?)p.Name)),
            "catch_kwargs" => signature.TakesRestNamed,
            "catch_varargs" => signature.TakesRest,
            "caller" => signature.TakesCaller,
            "explicit_caller" => signature.Parameters.Any(static p => p.Name == "caller"),
            _ => null,
        };
        return value is not null || attribute == "name";
    }

    private void Bind(Arguments given, Scope scope)
    {
        var expected = signature.Parameters.Count;
        for (var i = 0; i < expected; i++)
        {
            var (parameter, otherwise) = signature.Parameters[i];
            var value = i < given.Positional.Count ? given.Positional[i]
                : given.TryTake(parameter, out var named) ? named
                : otherwise is not null ? otherwise.Evaluate(scope)
                : new Undefined($"parameter {PythonText.Repr(parameter)} was not provided");
            scope.Set(parameter, value);
        }

        if (signature.TakesCaller)
        {
            var isCalled = given.TryTake("caller", out var caller);
            scope.Set("caller", isCalled ? caller : new Undefined("No caller defined"));
        }

        if (signature.TakesRestNamed)
            scope.Set("kwargs", given.NamedAsDict());
        else if (given.Named.Count > 0)
            throw Error($"takes no keyword argument {PythonText.Repr(given.Named[0].Key)}");
        if (signature.TakesRest)
            scope.Set("varargs", new PyTuple(given.Positional.Skip(expected)));
        else if (given.Positional.Count > expected)
            throw Error($"takes not more than {expected} argument(s)");
    }

    private JinjaException Error(string problem) =>
        new($"macro {(name is null ? "None" : PythonText.Repr(name))} {problem}");
}
