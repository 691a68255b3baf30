using FsCheck;
using FsCheck.Fluent;

namespace OrtPeft.Onnx.Tests.IR;

public sealed class OrderedMembersTests
{
    /// <summary>Each number is an edit: what to do, and where.</summary>
    [Fact]
    public void Edits_OfAnyKind_AreThoseOfAList() => Prop.ForAll(
        ArbMap.Default.ArbFor<(byte What, ushort Where)[]>(),
        static edits =>
        {
            var (members, expected) = (new OrderedMembers<object>(), new List<object>());
            foreach (var (what, where) in edits)
            {
                Edit(members, expected, what % 8, where);
                Assert.Equal(expected, members);
            }

            Assert.Equal(expected, Enumerable.Range(0, members.Count).Select(place => members[place]));
            Assert.Equal(expected.Count, members.Count);
            Assert.Same(expected.LastOrDefault(), members.Last);
            Assert.All(expected.Zip(expected.Skip(1)), pair => Assert.Same(pair.First, members.Before(pair.Second)));
            AssertCompared(members, expected);
        }).QuickCheckThrowOnFailure();

    [Theory]
    [InlineData(0)]
    [InlineData(0.5)]
    [InlineData(1)]
    public void Insert_OfManyAtOnePlace_KeepsTheOrder(double place)
    {
        var (members, first) = (new OrderedMembers<object>(), new List<object>());
        for (var i = 0; i < 100; i++)
            first.Add(new object());
        members.Set(first);
        var at = (int)(place * 99);

        var inserted = Enumerable.Range(0, 20000).Select(static _ => new object()).ToList();
        foreach (var member in inserted)
            members.Insert(member, first[at]);

        object[] expected = [.. first[..at], .. inserted, .. first[at..]];
        Assert.Equal(expected, members);
        Assert.All(expected.Zip(expected.Skip(1)), pair => Assert.True(members.IsBefore(pair.First, pair.Second)));
        Assert.False(members.IsBefore(expected[^1], expected[0]));
    }

    [Fact]
    public void Index_OfTheFirstAndLastAfterAnEdit_CopiesNothing()
    {
        var members = new OrderedMembers<object>();
        for (var i = 0; i < 10000; i++)
            members.Add(i);
        _ = (members[0], members[^1]);

        var before = GC.GetAllocatedBytesForCurrentThread();
        var ends = (members[0], members[^1]);
        var allocated = GC.GetAllocatedBytesForCurrentThread() - before;

        Assert.Equal((0, 9999), ((int)ends.Item1, (int)ends.Item2));
        Assert.InRange(allocated, 0, 1000);
    }

    [Fact]
    public void Enumeration_AcrossAnEdit_Throws()
    {
        var members = new OrderedMembers<string> { "a", "b" };

        Assert.Throws<InvalidOperationException>(() =>
        {
            foreach (var member in members)
                members.Remove(member);
        });
    }

    private static void Edit(OrderedMembers<object> members, List<object> expected, int what, int where)
    {
        var made = new object();
        var at = where % (expected.Count + 1);
        if (what == 0)
        {
            expected.Reverse();
            members.Set(expected);
        }
        else if (what <= 2 && at < expected.Count)
        {
            Assert.True(members.Remove(expected[at]));
            Assert.False(members.Remove(expected[at]));
            expected.RemoveAt(at);
        }
        else if (at < expected.Count)
        {
            members.Insert(made, expected[at]);
            expected.Insert(at, made);
        }
        else
        {
            members.Add(made);
            expected.Add(made);
        }
    }

    private static void AssertCompared(OrderedMembers<object> members, List<object> expected)
    {
        foreach (var (i, member) in expected.Index())
        {
            foreach (var (k, other) in expected.Index())
                Assert.Equal(i < k, members.IsBefore(member, other));
        }
    }
}
