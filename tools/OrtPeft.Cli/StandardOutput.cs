using System.Text;
using OrtPeft.Cli.Errors;

namespace OrtPeft.Cli;

/// <summary>Where results go; when it cannot be written, that is what the error names, and not a file.</summary>
internal sealed class StandardOutput(TextWriter inner) : TextWriter(inner.FormatProvider)
{
    public override Encoding Encoding => inner.Encoding;

    public override void Write(char value) => Guard(() => inner.Write(value));

    public override void Write(string? value) => Guard(() => inner.Write(value));

    public override void WriteLine(string? value) => Guard(() => inner.WriteLine(value));

    public override void Flush() => Guard(inner.Flush);

    private static void Guard(Action write)
    {
        try
        {
            write();
        }
        catch (IOException e)
        {
            throw new ResultException($"Standard output cannot be written: {e.Message}; send it elsewhere.", e);
        }
    }
}
