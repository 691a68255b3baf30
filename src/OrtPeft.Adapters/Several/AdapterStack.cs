using System.Diagnostics;
using OrtPeft.Onnx;

namespace OrtPeft.Adapters.Several;

/// <summary>
/// Several adapters in one graph, each adding to its layers' results: y + Δ₁(x) + Δ₂(x). Every one of them must see the
/// base alone, for layers are found and named by their surroundings; so each is taken off again as an <see
/// cref="Island"/> before the next is injected, and in the end all are put on in a chain.
/// </summary>
internal static class AdapterStack
{
    /// <summary>Builds the graph.</summary>
    /// <param name="canonicalBase">The base; not changed.</param>
    /// <param name="adapters">Two or more; their weights are shared.</param>
    /// <exception cref="ConfigException">One cannot be beside others; the message says why.</exception>
    public static (Model Model, Injection Injection) Build(Model canonicalBase, IReadOnlyList<Adapter> adapters)
    {
        foreach (var adapter in adapters)
        {
            if (adapter.WhyNotBesideOthers is { } reason)
                throw new ConfigException(
                    $"'{adapter.Name}' cannot be active beside other adapters: {reason}; use one at a time, or merge "
                    + "one into the base first.");
        }

        var model = canonicalBase.Clone();
        var (islands, injections) = (new List<Island>(), new List<Injection>());
        foreach (var adapter in adapters)
        {
            var before = GraphSnapshot.Of(model.Graph);
            var injection = Inject(model, adapter);
            islands.Add(Island.TakeOff(model.Graph, before, [.. injection.Parameters, .. injection.Buffers]));
            injections.Add(injection);
        }

        Island.PutOn(model.Graph, islands);
        return (model, new Injection(adapters[0].Injection.Config, [.. injections.SelectMany(static i => i.Parameters)])
        {
            Buffers = [.. injections.SelectMany(static i => i.Buffers)],
            Detached = [.. injections.SelectMany(static i => i.Detached)],
        });
    }

    /// <summary>The adapter once more, with its present weights and names of its own.</summary>
    private static Injection Inject(Model model, Adapter adapter)
    {
        var injection = adapter.Method.Inject(model, adapter.Injection.Config, adapter.Seed);
        var weights = adapter.Weights();
        if (injection.Parameters.Count + injection.Buffers.Count != weights.Count)
            throw new UnreachableException($"Bug: '{adapter.Name}' has other layers beside adapters than alone.");
        return injection with
        {
            Parameters = [.. injection.Parameters.Select(Named)],
            Buffers = [.. injection.Buffers.Select(Named)],
        };

        AdapterParameter Named(AdapterParameter parameter)
        {
            var name = AdapterNames.InMemory(parameter.Name, adapter.Name);
            model.Graph.SetInitializer(parameter.Value, weights[parameter.Name]);
            model.Graph.Rename(parameter.Value, name);
            return parameter with
            {
                Name = name,
                Aliases = InMemory(parameter.Aliases),
                TransposedAliases = InMemory(parameter.TransposedAliases),
            };
        }

        IReadOnlyList<string> InMemory(IEnumerable<string> names) => [.. names.Select(n => AdapterNames.InMemory(n, adapter.Name))];
    }
}
