using OrtPeft.Onnx;

namespace OrtPeft.Adapters.Modules;

/// <summary>
/// Layers that a graph applies more than once. Adapters are put on one application: what would change the first alone, as
/// no adapter of the source model does, is refused.
/// </summary>
internal static class RepeatedLayers
{
    /// <summary>Refuses an adapter of such a layer.</summary>
    /// <param name="canonical">The base.</param>
    /// <param name="injection">What was done to it.</param>
    /// <exception cref="ConfigException">A layer that it changes is applied again.</exception>
    public static void Check(Graph canonical, Injection injection)
    {
        if (injection.Config.TrainsBase)
            return; // parameters train wherever they are read
        var repeated = ModuleCatalogue.Applications(canonical).CountBy(static m => m.Name).Where(static m => m.Value > 1);
        foreach (var (module, count) in repeated)
        {
            var own = injection.ChangesOf(module).Select(static c => c.Parameter).FirstOrDefault();
            if (own is not null)
            {
                throw new ConfigException(
                    $"{module} is applied {count} times in this graph, of which '{own.Name}' would change the first alone; leave "
                    + "the layer out with exclude_modules, or other targets.");
            }
        }
    }
}
