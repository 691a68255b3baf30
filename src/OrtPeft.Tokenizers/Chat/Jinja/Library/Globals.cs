using System.Numerics;
using OrtPeft.Tokenizers.Chat.Jinja.Runtime;
using OrtPeft.Tokenizers.Chat.Jinja.Values;

namespace OrtPeft.Tokenizers.Chat.Jinja.Library;

/// <summary>The functions that every template sees: Jinja's own and those that transformers adds.</summary>
internal static class Globals
{
    private static readonly Function[] All =
    [
        new("range", "start, stop?, step?", "<function safe_range>", Range),
        new("dict", "<class 'dict'>", Dict),
        new("namespace", "<class 'jinja2.utils.Namespace'>", MakeNamespace),
        new("cycler", "<class 'jinja2.utils.Cycler'>", static a => new Cycler(a.Positional)),
        new("joiner", "sep?", "<class 'jinja2.utils.Joiner'>", static b => new Joiner(b.Has(0) ? b.Text(0) : ", ")),
        new("lipsum", "<function generate_lorem_ipsum>", static _ =>
            throw new JinjaException("lipsum() writes random text, which is not supported")),
        new("raise_exception", "message", "<function raise_exception>", static b =>
            throw new JinjaException(b.Text(0), JinjaFailure.Raised)),
        new("strftime_now", "format", "<function strftime_now>", static b =>
            DateText.Format(b.Run.Now, b.String(0))),
    ];

    /// <summary>A scope of the functions alone.</summary>
    public static Scope For(Rendering run)
    {
        var scope = new Scope(run);
        foreach (var function in All)
            scope.Set(function.Name, function);
        return scope;
    }

    private static PyRange Range(Bound given)
    {
        var first = given.BigInteger(0);
        return given.Has(1)
            ? new PyRange(first, given.BigInteger(1), given.Has(2) ? given.BigInteger(2) : BigInteger.One)
            : new PyRange(BigInteger.Zero, first, BigInteger.One);
    }

    private static PyDict Dict(Arguments given)
    {
        var dict = new PyDict();
        if (given.Positional.Count > 1)
            throw new JinjaException($"dict expected at most 1 argument, got {given.Positional.Count}");
        if (given.Positional is [PyDict source])
        {
            foreach (var (key, value) in source.Pairs)
                dict.Set(key, value);
        }
        else if (given.Positional is [var pairs])
        {
            foreach (var pair in Iteration.Of(pairs))
                AddPair(dict, pair);
        }

        foreach (var (name, value) in given.Named)
            dict.Set(name, value);
        return dict;
    }

    private static void AddPair(PyDict dict, object? pair)
    {
        object?[] parts = [.. Iteration.Of(pair).Take(3)];
        if (parts.Length != 2)
            throw new JinjaException("dictionary update sequence element needs length 2");
        dict.Set(parts[0], parts[1]);
    }

    private static Namespace MakeNamespace(Arguments given)
    {
        var space = new Namespace();
        foreach (var (key, value) in Dict(given).Pairs)
            space.Set(key as string ?? throw new JinjaException("a namespace's names are strings"), value);
        return space;
    }
}
