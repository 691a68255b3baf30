using OrtPeft.Adapters;

namespace OrtPeft.Training.Runtime;

/// <summary>
/// Where each trainable parameter stands in the flat vectors; each starts on a cache line of its own.
/// </summary>
internal sealed class ParameterLayout
{
    private const long FloatsPerLine = 16;

    public ParameterLayout(IReadOnlyList<AdapterParameter> parameters)
    {
        var slots = new List<ParameterSlot>(parameters.Count);
        long offset = 0;
        foreach (var parameter in parameters)
        {
            var tensor = parameter.Value.Initializer!;
            slots.Add(new ParameterSlot(parameter.Name, offset, tensor.Count, [.. tensor.Dims]));
            offset += (tensor.Count + FloatsPerLine - 1) / FloatsPerLine * FloatsPerLine;
        }

        Slots = slots;
        Count = offset;
    }

    public IReadOnlyList<ParameterSlot> Slots { get; }

    /// <summary>The length of a flat vector; the gaps between parameters stay zero.</summary>
    public long Count { get; }
}
