namespace OrtPeft.Tokenizers.Patterns;

/// <summary>Writes a syntax tree as instructions; counted repetitions of more than one code point are written out.</summary>
internal sealed class PatternCompiler
{
    /// <summary>A real pattern has some hundred instructions.</summary>
    private const int SizeLimit = 20_000;

    private readonly List<Instruction> _code = [];
    private int _registers;

    private PatternCompiler()
    {
    }

    /// <exception cref="PatternException">The expression is too long, or has an unbounded lookbehind.</exception>
    public static (Instruction[] Code, int Registers) Compile(PatternNode node)
    {
        var compiler = new PatternCompiler();
        compiler.Write(node);
        compiler.Add(new Instruction(OpCode.Done));
        return ([.. compiler._code], compiler._registers);
    }

    private void Write(PatternNode node)
    {
        switch (node)
        {
            case PatternNode.OneOf one:
                Add(new Instruction(OpCode.One) { Class = one.Class });
                break;
            case PatternNode.Sequence sequence:
                foreach (var part in sequence.Parts)
                    Write(part);
                break;
            case PatternNode.Choice choice:
                WriteChoice(choice.Branches);
                break;
            case PatternNode.Repeat { Body: PatternNode.OneOf one } run:
                Add(new Instruction(OpCode.Run)
                {
                    Class = one.Class,
                    First = run.Least,
                    Second = run.Most,
                    Kind = run.Kind,
                });
                break;
            case PatternNode.Repeat { Kind: RepeatKind.Possessive } repeat:
                WriteAtomic(repeat with { Kind = RepeatKind.Greedy });
                break;
            case PatternNode.Repeat repeat:
                WriteRepeat(repeat);
                break;
            case PatternNode.Atomic atomic:
                WriteAtomic(atomic.Body);
                break;
            case PatternNode.Look look:
                WriteLook(look);
                break;
            case PatternNode.Anchor anchor:
                Add(new Instruction(OpCode.Anchor) { First = (int)anchor.Kind });
                break;
        }
    }

    private int Add(Instruction instruction)
    {
        if (_code.Count >= SizeLimit)
            throw new PatternException($"written out it is longer than {SizeLimit} steps");
        _code.Add(instruction);
        return _code.Count - 1;
    }

    private void WriteChoice(IReadOnlyList<PatternNode> branches)
    {
        var ends = new List<int>();
        foreach (var branch in branches.SkipLast(1))
        {
            var fork = Add(new Instruction(OpCode.Fork));
            Write(branch);
            ends.Add(Add(new Instruction(OpCode.Jump)));
            _code[fork] = _code[fork] with { First = fork + 1, Second = _code.Count };
        }

        Write(branches[^1]);
        foreach (var end in ends)
            _code[end] = _code[end] with { First = _code.Count };
    }

    private void WriteRepeat(PatternNode.Repeat repeat)
    {
        for (var i = 0; i < repeat.Least; i++)
            Write(repeat.Body);
        var isLazy = repeat.Kind == RepeatKind.Lazy;
        if (repeat.Most == int.MaxValue)
        {
            WriteLoop(repeat.Body, isLazy);
            return;
        }

        var forks = new List<int>();
        for (var i = repeat.Least; i < repeat.Most; i++)
        {
            forks.Add(Add(new Instruction(OpCode.Fork)));
            Write(repeat.Body);
        }

        foreach (var fork in forks)
            SetFork(fork, fork + 1, _code.Count, isLazy);
    }

    private void WriteLoop(PatternNode body, bool isLazy)
    {
        var register = _registers++;
        var fork = Add(new Instruction(OpCode.Fork));
        Add(new Instruction(OpCode.Mark) { First = register });
        Write(body);
        var check = Add(new Instruction(OpCode.ExitIfStill) { First = register });
        Add(new Instruction(OpCode.Jump) { First = fork });
        _code[check] = _code[check] with { Second = _code.Count };
        SetFork(fork, fork + 1, _code.Count, isLazy);
    }

    private void SetFork(int fork, int into, int past, bool isLazy) => _code[fork] = isLazy
        ? _code[fork] with { First = past, Second = into }
        : _code[fork] with { First = into, Second = past };

    private void WriteAtomic(PatternNode body)
    {
        var register = _registers++;
        Add(new Instruction(OpCode.AtomicStart) { First = register });
        Write(body);
        Add(new Instruction(OpCode.AtomicEnd) { First = register });
    }

    /// <summary>A lookbehind of varying length is tried from its shortest length on.</summary>
    private void WriteLook(PatternNode.Look look)
    {
        if (!look.IsBehind)
        {
            WriteLookAt(look.Body, look.IsNegative, -1);
            return;
        }

        var (least, most) = PatternLength.Of(look.Body);
        if (most > PatternLength.Limit)
            throw new PatternException("a lookbehind has no bounded length");
        if (look.IsNegative)
        {
            for (var length = least; length <= most; length++)
                WriteLookAt(look.Body, isNegative: true, length);
            return;
        }

        var ends = new List<int>();
        for (var length = least; length <= most; length++)
        {
            var fork = length < most ? Add(new Instruction(OpCode.Fork)) : -1;
            WriteLookAt(look.Body, isNegative: false, length);
            if (fork < 0)
                break;
            ends.Add(Add(new Instruction(OpCode.Jump)));
            _code[fork] = _code[fork] with { First = fork + 1, Second = _code.Count };
        }

        foreach (var end in ends)
            _code[end] = _code[end] with { First = _code.Count };
    }

    private void WriteLookAt(PatternNode body, bool isNegative, int length)
    {
        var look = Add(new Instruction(isNegative ? OpCode.LookNot : OpCode.Look) { Second = length });
        Write(body);
        if (length >= 0)
            Add(new Instruction(OpCode.AtLookStart));
        Add(new Instruction(OpCode.Done));
        _code[look] = _code[look] with { First = _code.Count };
    }
}
