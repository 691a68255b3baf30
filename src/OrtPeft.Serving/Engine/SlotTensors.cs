using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;
using OrtPeft.Adapters.Merging;
using OrtPeft.Tensors;
using OrtPeft.Tensors.Storage;
using Tensor = OrtPeft.Tensors.Tensor;

namespace OrtPeft.Serving.Engine;

/// <summary>
/// A and B of all slots, as the graph's inputs. Slot 0 is zeros: the base. Ranks within a product are those of its largest
/// adapter, smaller ones being padded with zeros. Not thread-safe: change it between runs.
/// </summary>
internal sealed class SlotTensors : IDisposable
{
    private readonly IReadOnlyList<LoraSlot> _products;
    private readonly (OrtValue A, OrtValue B)[] _values;
    private readonly List<LoraFactorsOfSlots?> _slots = [null];

    /// <summary>Makes tensors of one slot, the base's.</summary>
    public SlotTensors(IReadOnlyList<LoraSlot> products)
    {
        _products = products;
        _values = [.. products.Select(static p => (Allocate(p.Site.Type, 1, p.Site.InFeatures, 0),
            Allocate(p.Site.Type, 1, 0, p.Site.Width)))];
    }

    /// <summary>Grows with every change of a tensor, so that bindings know when to bind anew.</summary>
    public int Version { get; private set; }

    /// <summary>Memory of all slots, in bytes.</summary>
    public long Bytes => _products.Zip(_values).Sum(static v =>
        v.First.Site.Type.BitSize() / 8 * (v.Second.A.GetTensorTypeAndShape().ElementCount
            + v.Second.B.GetTensorTypeAndShape().ElementCount));

    /// <summary>Fills the first free slot.</summary>
    /// <param name="factors">An adapter's factors.</param>
    /// <returns>The slot.</returns>
    public int Add(LoraFactorsOfSlots factors)
    {
        var slot = _slots.FindIndex(1, static s => s is null);
        if (slot < 0)
            (slot, _) = (_slots.Count, Append());
        Put(slot, factors);
        return slot;
    }

    /// <summary>Makes a slot zeros again; nothing may compute with it any more.</summary>
    public void Clear(int slot) => Put(slot, null);

    /// <summary>Binds the graph's inputs.</summary>
    public void BindTo(OrtIoBinding binding)
    {
        foreach (var (product, (a, b)) in _products.Zip(_values))
        {
            binding.BindInput(product.InputOfA, a);
            binding.BindInput(product.InputOfB, b);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var (a, b) in _values)
        {
            a.Dispose();
            b.Dispose();
        }
    }

    private int Append()
    {
        _slots.Add(null);
        return _slots.Count;
    }

    private void Put(int slot, LoraFactorsOfSlots? factors)
    {
        _slots[slot] = factors;
        for (var i = 0; i < _products.Count; i++)
        {
            var rank = _slots.Max(s => s?.Stacks.TryGetValue(i, out var stack) == true ? stack.Rank : 0);
            Fit(i, rank);
            Write(i, slot, rank, factors?.Stacks.TryGetValue(i, out var own) == true ? own : ([], [], 0));
        }

        Version++;
    }

    /// <summary>Gives a product's tensors as many slots as there are and a rank; what is in them stays.</summary>
    private void Fit(int product, int rank)
    {
        var site = _products[product].Site;
        var (a, b) = _values[product];
        var (slots, old) = ((int)a.GetTensorTypeAndShape().Shape[0], (int)a.GetTensorTypeAndShape().Shape[2]);
        if (slots == _slots.Count && old == rank)
            return;
        var size = site.Type.BitSize() / 8;
        var (wide, tall) = (Allocate(site.Type, _slots.Count, site.InFeatures, rank),
            Allocate(site.Type, _slots.Count, rank, site.Width));
        var kept = Math.Min(rank, old);
        Copy(a, wide, old * size, rank * size, kept * size, slots * site.InFeatures);
        Copy(b, tall, old * site.Width * size, rank * site.Width * size, kept * site.Width * size, slots);
        _values[product] = (wide, tall);
        a.Dispose();
        b.Dispose();
    }

    private static void Copy(OrtValue from, OrtValue to, int fromStride, int toStride, int length, int count)
    {
        if (length == 0)
            return;
        var source = from.GetTensorMutableRawData();
        var target = to.GetTensorMutableRawData();
        for (var i = 0; i < count; i++)
            source.Slice(i * fromStride, length).CopyTo(target[(i * toStride)..]);
    }

    private void Write(int product, int slot, int rank, (float[] Down, float[] Up, int Rank) stack)
    {
        if (rank == 0)
            return;
        var site = _products[product].Site;
        var (down, up) = (new float[site.InFeatures * rank], new float[rank * site.Width]);
        for (var i = 0; stack.Rank > 0 && i < site.InFeatures; i++)
            stack.Down.AsSpan(i * stack.Rank, stack.Rank).CopyTo(down.AsSpan(i * rank));
        stack.Up.CopyTo(up, 0);
        var (a, b) = _values[product];
        Write(a, slot, Narrowing.ToTensor(down, site.Type, [down.Length]));
        Write(b, slot, Narrowing.ToTensor(up, site.Type, [up.Length]));
    }

    private static void Write(OrtValue value, int slot, Tensor content)
    {
        var bytes = content.Data.Slice(0, (int)content.Data.Length);
        bytes.CopyTo(value.GetTensorMutableRawData()[(slot * bytes.Length)..]);
    }

    private static OrtValue Allocate(ElementType type, long slots, long rows, long columns)
    {
        var value = OrtValue.CreateAllocatedTensorValue(
            OrtAllocator.DefaultInstance, (TensorElementType)(int)type, [slots, rows, columns]);
        if (slots * rows * columns > 0)
            value.GetTensorMutableRawData().Clear();
        return value;
    }
}
