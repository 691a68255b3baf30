using OrtPeft.Autodiff.Tests.Cases;
using OrtPeft.Autodiff.Tests.Proof;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Shapes;
using OrtPeft.Tensors;
using OrtPeft.Testing;

namespace OrtPeft.Autodiff.Tests;

/// <summary>
/// Every operator of the gradient table in forms that its definition does not have: its rule goes through, or is
/// refused with an exception of ours that names the node. What it throws otherwise is a fault of its own.
/// </summary>
public sealed class DamagedNodeTests
{
    public static TheoryData<string> Names => GradientCases.Names;

    public static TheoryData<string> Quantisers => StraightThroughTests.Names;

    [Theory]
    [MemberData(nameof(Names))]
    public void Rule_GoesThroughOrNamesTheNode(string name)
    {
        var row = GradientCases.ByName[name];

        Check(name, () => Build(row), row.Op);
    }

    [Theory]
    [MemberData(nameof(Quantisers))]
    public void Quantiser_GoesThroughOrNamesTheNode(string name)
    {
        var (_, _, _, of) = StraightThroughTests.Rows.Single(r => r.Name == name);
        var row = new GradientCase("", name, (g, x) => [of(g, x[0])], TestInput.Generic(12));

        foreach (var op in Build(row).Graph.Nodes.Select(static n => n.OpType).Distinct())
            Check(name, () => Build(row), op);
    }

    /// <summary>Damages a model's first node of an operator.</summary>
    private static void Check(string name, Func<Model> build, string op)
    {
        // Half of the damages, the other half for each second case's name: all of them take minutes.
        var damages = NodeDamage.Of(First(build(), op)).Where((_, i) => (i + name.Length) % 2 == 0);
        var faults = damages.Select(d => FaultOf(build(), op, d)).OfType<string>().ToArray();

        Assert.True(faults.Length == 0, string.Join('\n', faults));
    }

    private static Node First(Model model, string op) => model.Graph.Nodes.First(n => n.Is(op));

    private static Model Build(GradientCase row)
    {
        var model = new Model(row.Opset);
        var g = new GraphBuilder(model.Graph, new ShapeInference(row.Opset));
        Value[] x = [.. row.Inputs.Select((input, i) => model.Graph.AddInput(
            input.IsDifferentiated ? $"x{i}" : $"n{i}", input.Type ?? ElementType.Float, Shape.Of(input.Dims)))];
        foreach (var (i, y) in row.Build(g, x).Index())
        {
            var output = g.Op("Identity", y);
            g.Graph.Rename(output, $"y{i}");
            g.Graph.AddOutput(output);
        }

        return model;
    }

    private static string? FaultOf(Model model, string op, NodeDamage damage)
    {
        NodeDraft.Replace(First(model, op), damage);
        var nodes = model.Graph.Nodes.ToArray();
        try
        {
            Differentiate(model);
            return null;
        }
        catch (Exception e) when (e is GraphException or UnsupportedOpException)
        {
            var isOfNode = nodes.Any(n => e.Message.StartsWith($"{n}", StringComparison.Ordinal));
            return isOfNode ? null : $"{op}, {damage.Text}: {e.Message}";
        }
        catch (Exception e)
        {
            return $"{op}, {damage.Text}: {e}";
        }
    }

    private static void Differentiate(Model model)
    {
        var g = GraphBuilder.Over(model);
        Seed[] seeds = [.. model.Graph.Outputs.Where(static y => y.Type.IsFloating()).Select(static y => new Seed(y, y))];
        Value[] wanted = [.. model.Graph.Inputs.Where(static i => i.Name[0] == 'x')];
        if (seeds.Length > 0)
            new Differentiator(model, g).Differentiate(seeds, wanted);
    }
}
