namespace OrtPeft.Onnx.Tests.IR;

/// <summary>What it costs to keep a list comparable, counted in numbers given.</summary>
public sealed class PlaceNumbersTests
{
    private const int Insertions = 50000;

    private readonly LinkedList<Place<int>> _list = [];
    private readonly PlaceNumbers<int> _numbers = new();

    public PlaceNumbersTests()
    {
        for (var i = 0; i < 1000; i++)
            _numbers.Number(_list.AddLast(new Place<int>(i)));
    }

    public static TheoryData<string> Patterns =>
        ["before a middle one", "first", "last", "before the newest", "anywhere"];

    [Theory]
    [MemberData(nameof(Patterns))]
    public void Number_OfManyInsertions_GivesAFewNumbersEach(string pattern)
    {
        var random = new Random(1);
        var all = new List<LinkedListNode<Place<int>>> { Middle };
        var middle = Middle;
        var before = _numbers.Given;

        for (var i = 0; i < Insertions; i++)
        {
            var made = new Place<int>(i);
            all.Add(pattern switch
            {
                "before a middle one" => _list.AddBefore(middle, made),
                "first" => _list.AddFirst(made),
                "last" => _list.AddLast(made),
                "before the newest" => _list.AddBefore(all[^1], made),
                _ => _list.AddBefore(all[random.Next(all.Count)], made),
            });
            _numbers.Number(all[^1]);
        }

        Assert.InRange((_numbers.Given - before) / (double)Insertions, 1, 20);
        Assert.All(_list.Zip(_list.Skip(1)), static pair => Assert.True(pair.First.Number < pair.Second.Number));
        Assert.InRange(_list.First!.Value.Number, 0, _list.Last!.Value.Number);
    }

    private LinkedListNode<Place<int>> Middle
    {
        get
        {
            var place = _list.First!;
            while (place.Value.Member != 500)
                place = place.Next!;
            return place;
        }
    }
}
