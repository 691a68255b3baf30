using OrtPeft.Tokenizers.Unicode;

namespace OrtPeft.Tokenizers.Patterns;

/// <summary>
/// Runs a compiled expression over one text by backtracking, on a stack of its own. Counts its steps, so that no
/// expression takes for ever.
/// </summary>
internal sealed class PatternMatcher
{
    private const int NoPosition = -1;

    /// <summary>Steps on any text, and for each UTF-16 unit: far beyond what patterns in use take.</summary>
    private const long FreeSteps = 2_000_000;
    private const long StepsPerUnit = 2_000;

    private readonly Instruction[] _code;
    private readonly string _text;
    private readonly int[] _registers;
    private readonly List<Choice> _choices = [];
    private long _stepsLeft;

    public PatternMatcher(Instruction[] code, int registers, string text)
    {
        _code = code;
        _text = text;
        _registers = new int[registers];
        _stepsLeft = FreeSteps + (StepsPerUnit * text.Length);
    }

    /// <summary>Where a match that begins at a position ends, or −1.</summary>
    /// <exception cref="PatternException">It takes too many steps.</exception>
    public int MatchAt(int start) => Run(0, start, NoPosition);

    private int Run(int at, int position, int lookStart)
    {
        var bottom = _choices.Count;
        while (true)
        {
            if (--_stepsLeft < 0)
                throw new PatternException("it tries too many ways on a text; simplify it");
            if (_code[at].Code == OpCode.Done)
                break;
            if (Step(ref at, ref position, lookStart))
                continue;
            if (!Backtrack(bottom, ref at, ref position))
                return NoPosition;
        }

        _choices.RemoveRange(bottom, _choices.Count - bottom);
        return position;
    }

    /// <summary>Takes one instruction; false where it does not match.</summary>
    private bool Step(ref int at, ref int position, int lookStart)
    {
        var now = _code[at];
        var next = at + 1;
        var matches = true;
        switch (now.Code)
        {
            case OpCode.One:
                matches = TakeOne(now.Class!, ref position);
                break;
            case OpCode.Run:
                matches = TakeRun(now, next, ref position);
                break;
            case OpCode.Fork:
                _choices.Add(Choice.Go(now.Second, position));
                next = now.First;
                break;
            case OpCode.Jump:
                next = now.First;
                break;
            case OpCode.Mark:
                SetRegister(now.First, position);
                break;
            case OpCode.ExitIfStill:
                next = _registers[now.First] == position ? now.Second : next;
                break;
            case OpCode.AtomicStart:
                SetRegister(now.First, _choices.Count + 1);
                break;
            case OpCode.AtomicEnd:
                ForgetChoices(_registers[now.First]);
                break;
            case OpCode.Anchor:
                matches = IsAnchored((AnchorKind)now.First, position);
                break;
            case OpCode.AtLookStart:
                matches = position == lookStart;
                break;
            default:
                matches = Looks(now, next, position) == (now.Code == OpCode.Look);
                next = now.First;
                break;
        }

        at = next;
        return matches;
    }

    private bool TakeOne(CodePointClass set, ref int position)
    {
        if (position >= _text.Length || !set.Contains(CodePoints.At(_text, position, out var width)))
            return false;
        position += width;
        return true;
    }

    private bool TakeRun(Instruction run, int next, ref int position)
    {
        var wanted = run.Kind == RepeatKind.Lazy ? run.First : run.Second;
        var least = NoPosition;
        var count = 0;
        while (true)
        {
            if (count == run.First)
                least = position;
            if (count >= wanted || !TakeOne(run.Class!, ref position))
                break;
            count++;
        }

        _stepsLeft -= count;
        if (count < run.First)
            return false;
        if (run.Kind == RepeatKind.Greedy && position > least)
            _choices.Add(new Choice(ChoiceKind.GiveBack, next, position, least));
        if (run.Kind == RepeatKind.Lazy && count < run.Second)
            _choices.Add(new Choice(ChoiceKind.TakeMore, next, position, count));
        return true;
    }

    private bool Backtrack(int bottom, ref int at, ref int position)
    {
        while (_choices.Count > bottom)
        {
            var choice = _choices[^1];
            _choices.RemoveAt(_choices.Count - 1);
            switch (choice.Kind)
            {
                case ChoiceKind.Restore:
                    _registers[choice.At] = choice.Position;
                    continue;
                case ChoiceKind.GiveBack:
                    position = CodePoints.Before(_text, choice.Position);
                    if (position > choice.Extra)
                        _choices.Add(choice with { Position = position });
                    break;
                case ChoiceKind.TakeMore:
                    var run = _code[choice.At - 1];
                    position = choice.Position;
                    if (!TakeOne(run.Class!, ref position))
                        continue;
                    if (choice.Extra + 1 < run.Second)
                        _choices.Add(choice with { Position = position, Extra = choice.Extra + 1 });
                    break;
                default:
                    position = choice.Position;
                    break;
            }

            at = choice.At;
            return true;
        }

        return false;
    }

    private void SetRegister(int register, int value)
    {
        _choices.Add(new Choice(ChoiceKind.Restore, register, _registers[register], 0));
        _registers[register] = value;
    }

    private void ForgetChoices(int from)
    {
        var kept = from;
        for (var i = from; i < _choices.Count; i++)
        {
            if (_choices[i].Kind == ChoiceKind.Restore)
                _choices[kept++] = _choices[i];
        }

        _choices.RemoveRange(kept, _choices.Count - kept);
    }

    private bool Looks(Instruction look, int body, int position)
    {
        var start = position;
        for (var i = 0; i < look.Second; i++)
        {
            if (start == 0)
                return false;
            start = CodePoints.Before(_text, start);
        }

        return Run(body, start, position) >= 0;
    }

    private bool IsAnchored(AnchorKind kind, int position)
    {
        var isAtEnd = position == _text.Length;
        return kind switch
        {
            AnchorKind.TextStart => position == 0,
            AnchorKind.TextEnd => isAtEnd,
            AnchorKind.TextEndOrLastNewLine =>
                isAtEnd || (position == _text.Length - 1 && _text[position] == '\n'),
            AnchorKind.LineStart => position == 0 || (_text[position - 1] == '\n' && !isAtEnd),
            AnchorKind.LineEnd => isAtEnd || _text[position] == '\n',
            AnchorKind.WordBoundary => IsWordBoundary(position),
            _ => !IsWordBoundary(position),
        };
    }

    private bool IsWordBoundary(int position)
    {
        var isBefore = position > 0
            && PropertyNames.Word.Contains(CodePoints.At(_text, CodePoints.Before(_text, position)));
        var isAfter = position < _text.Length && PropertyNames.Word.Contains(CodePoints.At(_text, position));
        return isBefore != isAfter;
    }

    private enum ChoiceKind : byte
    {
        /// <summary>Goes on at an instruction and a position.</summary>
        Go,

        /// <summary>A run gives one code point back, down to the position in Extra.</summary>
        GiveBack,

        /// <summary>A lazy run, which has Extra code points, takes one more.</summary>
        TakeMore,

        /// <summary>Register At gets the value in Position again.</summary>
        Restore,
    }

    private readonly record struct Choice(ChoiceKind Kind, int At, int Position, int Extra)
    {
        public static Choice Go(int at, int position) => new(ChoiceKind.Go, at, position, 0);
    }
}
