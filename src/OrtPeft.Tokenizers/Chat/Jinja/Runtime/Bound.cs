using System.Numerics;
using OrtPeft.Tokenizers.Chat.Jinja.Values;

namespace OrtPeft.Tokenizers.Chat.Jinja.Runtime;

/// <summary>Arguments in the places of a function's parameters.</summary>
internal sealed class Bound(Arguments given, int count)
{
    private readonly object?[] _values = new object?[count];
    private readonly bool[] _isGiven = new bool[count];

    public Rendering Run => given.Run;

    public Scope Scope => given.Scope;

    public object? this[int index] => _values[index];

    public bool Has(int index) => _isGiven[index];

    public void Set(int index, object? value)
    {
        _values[index] = value;
        _isGiven[index] = true;
    }

    public object? Or(int index, object? otherwise) => Has(index) ? _values[index] : otherwise;

    public bool IsTrue(int index) => Has(index) && Truth.Of(_values[index]);

    /// <summary>The text of any value, as <c>str()</c> makes it.</summary>
    public string Text(int index) => Display.Text(_values[index]);

    /// <summary>A text, and nothing else.</summary>
    public string String(int index) => _values[index] switch
    {
        string text => text,
        Markup markup => markup.Text,
        var other => throw new JinjaException($"expected str, not {TypeNames.Of(other)}"),
    };

    /// <summary>A text, or null where it is not given or none.</summary>
    public string? StringOrNone(int index) => _values[index] is null ? null : String(index);

    public int Integer(int index) => Whole.Small(_values[index]);

    public int IntegerOr(int index, int otherwise) => Has(index) ? Integer(index) : otherwise;

    /// <summary>A whole number, or null where it is not given or none.</summary>
    public int? IntegerOrNone(int index) => _values[index] is null ? null : Integer(index);

    public IEnumerable<object?> Items(int index) => Iteration.Of(_values[index]);

    public BigInteger BigInteger(int index) => Whole.Of(_values[index]);
}
