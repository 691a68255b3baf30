namespace OrtPeft.Cli.Tests.Running;

/// <summary>Does something once a text has been written.</summary>
internal sealed class WatchedWriter : StringWriter
{
    private string? _text;
    private Action _act = static () => { };

    public void Watch(string text, Action act) => (_text, _act) = (text, act);

    public override void Write(string? value)
    {
        base.Write(value);
        Look(value);
    }

    public override void WriteLine(string? value)
    {
        base.WriteLine(value);
        Look(value);
    }

    private void Look(string? value)
    {
        if (_text is null || value?.Contains(_text, StringComparison.Ordinal) != true)
            return;
        _text = null;
        _act();
    }
}
