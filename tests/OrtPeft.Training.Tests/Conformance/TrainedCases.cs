namespace OrtPeft.Training.Tests.Conformance;

/// <summary>Trains every method once on every base, when it is first asked for.</summary>
public sealed class TrainedCases
{
    private readonly Dictionary<string, TrainedBase> _bases = [];
    private readonly Dictionary<(string On, string Name), TrainedCase> _cases = [];

    internal TrainedBase Base(string on)
    {
        if (!_bases.TryGetValue(on, out var opened))
            _bases[on] = opened = new TrainedBase(BaseCases.Named(on));
        return opened;
    }

    internal TrainedCase Of(string on, string name)
    {
        if (!_cases.TryGetValue((on, name), out var trained))
            _cases[(on, name)] = trained = new TrainedCase(Base(on), MethodCases.Named(name));
        return trained;
    }
}
