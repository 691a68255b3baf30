namespace OrtPeft.Tokenizers.Chat.Jinja.Runtime;

/// <summary>The parameters of a function that comes with the language, written as <c>value, chars?</c>.</summary>
internal sealed class Signature
{
    private readonly string _function;
    private readonly string[] _names;
    private readonly int _required;

    public Signature(string function, string parameters)
    {
        _function = function;
        var written = parameters.Split(", ", StringSplitOptions.RemoveEmptyEntries);
        _names = [.. written.Select(static name => name.TrimEnd('?'))];
        _required = written.Count(static name => !name.EndsWith('?'));
    }

    /// <summary>Puts arguments in the places of their parameters.</summary>
    /// <exception cref="JinjaException">One is missing, unknown, given twice or too many.</exception>
    public Bound Bind(Arguments given)
    {
        if (given.Positional.Count > _names.Length)
        {
            throw new JinjaException(
                $"{_function}() takes at most {_names.Length} positional arguments but {given.Positional.Count} "
                + "were given");
        }

        var bound = new Bound(given, _names.Length);
        for (var i = 0; i < given.Positional.Count; i++)
            bound.Set(i, given.Positional[i]);
        foreach (var (name, value) in given.Named)
        {
            var index = Array.IndexOf(_names, name);
            if (index < 0)
                throw new JinjaException($"{_function}() got an unexpected keyword argument '{name}'");
            if (bound.Has(index))
                throw new JinjaException($"{_function}() got multiple values for argument '{name}'");
            bound.Set(index, value);
        }

        for (var i = 0; i < _required; i++)
        {
            if (!bound.Has(i))
                throw new JinjaException($"{_function}() missing required argument '{_names[i]}'");
        }

        return bound;
    }
}
