using System.Text;

namespace OrtPeft.Cli.Tests.Running;

/// <summary>Takes nothing, as <c>/dev/full</c>.</summary>
internal sealed class FullWriter : TextWriter
{
    private const int NoSpaceOnUnix = 28;

    public override Encoding Encoding => Encoding.UTF8;

    public override void Write(char value) => throw new IOException("No space left on device", NoSpaceOnUnix);
}
