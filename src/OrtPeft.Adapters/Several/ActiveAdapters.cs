using OrtPeft.Onnx;
using OrtPeft.Tensors;

namespace OrtPeft.Adapters.Several;

/// <summary>The adapters that a model computes with at a time, and the graph that does.</summary>
/// <param name="Adapters">The adapters in the order of their names; none where they are disabled.</param>
/// <param name="Model">The graph.</param>
/// <param name="Injection">What stands in it, under the names that it has there.</param>
internal sealed record ActiveAdapters(IReadOnlyList<Adapter> Adapters, Model Model, Injection Injection)
{
    /// <summary>The base's own graph.</summary>
    /// <param name="canonicalBase">The base.</param>
    /// <param name="config">The configuration of what is disabled.</param>
    public static ActiveAdapters None(Model canonicalBase, PeftConfig config) =>
        new([], canonicalBase.Clone(), new Injection(config, []));

    /// <summary>One adapter in its own graph, or several in one that is made for them.</summary>
    /// <exception cref="ConfigException">There are several, and one cannot be beside others.</exception>
    public static ActiveAdapters Of(Model canonicalBase, IReadOnlyList<Adapter> adapters)
    {
        if (adapters is [var only])
            return new ActiveAdapters(adapters, only.Model, only.Injection);
        var (model, injection) = AdapterStack.Build(canonicalBase, adapters);
        return new ActiveAdapters(adapters, model, injection);
    }

    /// <summary>Replaces weights, in the graph and in the adapters' own; all or none.</summary>
    /// <exception cref="ConfigException">A tensor is missing, unknown, or of another shape; or none is
    /// active.</exception>
    public void Set(IReadOnlyDictionary<string, Tensor> weights, string source)
    {
        if (Adapters.Count == 0)
            throw ConfigException.At(source, "the adapters are disabled and take no weights; call Enable() first.");
        foreach (var (parameter, tensor) in AdapterCheck.Fit(Injection, weights, source))
        {
            Model.Graph.SetInitializer(parameter.Value, tensor);
            if (Adapters.Count > 1)
                SetAtHome(parameter.Name, tensor);
        }
    }

    /// <summary>Folds all into a copy of the base.</summary>
    /// <exception cref="ConfigException">One cannot be folded in; the message says why.</exception>
    public Model MergeInto(Model copyOfBase)
    {
        foreach (var adapter in Adapters)
            adapter.MergeInto(copyOfBase);
        return copyOfBase;
    }

    /// <summary>Notes in a merged model what it has in it.</summary>
    /// <exception cref="ConfigException">It had one in it before.</exception>
    public void RecordMerge(Model merged)
    {
        foreach (var adapter in Adapters)
            MergeRecord.Add(merged, adapter.SavedWeights());
    }

    private void SetAtHome(string name, Tensor content)
    {
        var (adapter, home) = Adapters.SelectMany(static a => a.Tensors.Select(p => (a, p)))
            .First(e => AdapterNames.InMemory(e.p.Name, e.a.Name) == name);
        adapter.Model.Graph.SetInitializer(home.Value, content);
    }
}
