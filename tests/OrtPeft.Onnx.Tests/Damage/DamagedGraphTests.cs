using OrtPeft.Onnx.Passes;
using OrtPeft.Onnx.Serialization;
using OrtPeft.Testing;

namespace OrtPeft.Onnx.Tests.Damage;

/// <summary>Real graphs with one node damaged, where passes look at several nodes at once.</summary>
public sealed class DamagedGraphTests
{
    private const int Samples = 4;

    /// <summary>All but the one that is a single node with two subgraphs.</summary>
    public static TheoryData<string> Graphs =>
        [.. Fixtures.Graphs.Where(static g => !g.Contains("merged", StringComparison.Ordinal))];

    [Theory]
    [MemberData(nameof(Graphs))]
    public void CanonicalForm_GoesThroughOrNamesANode(string name)
    {
        var random = new Random(7);
        var whole = OnnxFile.Load(Fixtures.Graph(name));

        var faults = Enumerable.Range(0, Samples).Select(_ => FaultOf(whole.Clone(), random)).OfType<string>().ToArray();

        Assert.True(faults.Length == 0, string.Join('\n', faults));
    }

    private static string? FaultOf(Model model, Random random)
    {
        // A subgraph stays with the node that it was made for, so that no other one takes that node's place.
        Node[] whole = [.. model.Graph.Nodes.Where(static n => !n.Subgraphs.Any())];
        var node = whole[random.Next(whole.Length)];
        var damages = NodeDamage.Of(node).ToArray();
        var damage = damages[random.Next(damages.Length)];
        var text = $"{node}, {damage.Text}";
        NodeDraft.Replace(node, damage);
        var nodes = model.Graph.Nodes.ToArray();
        try
        {
            CanonicalForm.Apply(model);
            return null;
        }
        catch (Exception e) when (e is GraphException or UnsupportedOpException)
        {
            var names = nodes.Select(static n => $"{n}").Append($"The input {MergedDecoder.Switch}");
            return names.Any(n => e.Message.StartsWith(n, StringComparison.Ordinal)) ? null : $"{text}: {e.Message}";
        }
        catch (Exception e)
        {
            return $"{text}: {e}";
        }
    }
}
