using System.Text;

namespace OrtPeft.Tokenizers.Chat.Jinja.Runtime;

/// <summary>A template's output: the result, or while a block is captured, a text aside.</summary>
internal sealed class OutputBuffer
{
    private readonly Stack<StringBuilder> _texts = new([new StringBuilder()]);
    private readonly List<(int Start, int End)> _generations = [];

    /// <summary>Stretches of the result that generation blocks wrote, in UTF-16 units.</summary>
    public IReadOnlyList<(int Start, int End)> Generations => _generations;

    /// <summary>Whether a generation block wrote into a captured text, whose place in the result is unknown.</summary>
    public bool HasLostGeneration { get; private set; }

    /// <summary>Appends; returns how long the text is by now.</summary>
    public int Write(string text) => _texts.Peek().Append(text).Length;

    public void Push() => _texts.Push(new StringBuilder());

    public string Pop() => _texts.Pop().ToString();

    /// <summary>Notes that the next characters come from a generation block.</summary>
    public void MarkGeneration(int length)
    {
        if (_texts.Count > 1)
            HasLostGeneration = true;
        else
            _generations.Add((_texts.Peek().Length, _texts.Peek().Length + length));
    }

    public override string ToString() => _texts.Last().ToString();
}
