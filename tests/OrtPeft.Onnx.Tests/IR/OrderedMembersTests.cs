namespace OrtPeft.Onnx.Tests.IR;

public sealed class OrderedMembersTests
{
    [Fact]
    public void Edits_InAnyOrder_AreThoseOfAList()
    {
        var random = new Random(5);
        var (members, expected) = (new OrderedMembers<object>(), new List<object>());
        for (var i = 0; i < 2000; i++)
        {
            var made = new object();
            var at = random.Next(expected.Count + 1);
            if (random.Next(3) == 0 && at < expected.Count)
            {
                members.Remove(expected[at]);
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

            if (i % 100 == 0)
                Assert.Equal(expected, Enumerable.Range(0, members.Count).Select(place => members[place]));
        }

        Assert.Equal(expected, members);
        Assert.Equal(expected.Count, members.Count);
        Assert.Same(expected[^1], members.Last);
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
}
