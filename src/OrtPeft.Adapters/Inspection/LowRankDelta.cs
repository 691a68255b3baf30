using System.Numerics.Tensors;
using OrtPeft.Adapters.LinearAlgebra;
using OrtPeft.Adapters.Lora;
using OrtPeft.Adapters.Lora.Initialization;
using OrtPeft.Adapters.Modules;
using OrtPeft.Tensors;

using Tensor = OrtPeft.Tensors.Tensor;

namespace OrtPeft.Adapters.Inspection;

/// <summary>
/// LoRA's change of a layer's weight, s·B·A, without making it: norms and inner products come from the small products
/// of the factors, ⟨B·A, D·C⟩ = Σ (Bᵀ·D) ∘ (A·Cᵀ).
/// </summary>
internal sealed class LowRankDelta
{
    private const int LargestRank = 512;
    private const int MostElements = 1 << 28;

    private readonly Matrix _a;
    private readonly Matrix _turnedB;

    private LowRankDelta(Matrix a, Matrix turnedB)
    {
        _a = a;
        _turnedB = turnedB;
    }

    /// <summary>The Frobenius norm.</summary>
    public double Norm =>
        Math.Sqrt(Math.Max(0, TensorPrimitives.Dot<double>(_turnedB.Gram().Elements, _a.Gram().Elements)));

    /// <summary>The layers whose whole change is s·B·A by an adapter's tensors, as long as that is cheap; in the
    /// file's order.</summary>
    /// <param name="adapter">The adapter.</param>
    public static IReadOnlyList<string> ModulesOf(StoredAdapter adapter) =>
        adapter.Config is LoraConfig config && IsSum(config)
            ? [.. adapter.Tensors.Keys.Select(ModuleOfA).OfType<string>().Where(m => IsCheap(adapter, m))]
            : [];

    /// <summary>Reads one of <see cref="ModulesOf"/>.</summary>
    /// <param name="adapter">The adapter.</param>
    /// <param name="module">The layer.</param>
    public static LowRankDelta Read(StoredAdapter adapter, string module)
    {
        var factors = Factors(adapter, module);
        var scale = ((LoraConfig)adapter.Config).ScaleOf(module);
        return new LowRankDelta(MatrixOf(factors[0], 1), MatrixOf(factors[1], scale).Transposed());
    }

    /// <summary>Whether two change a weight of the same shape.</summary>
    public bool IsLike(LowRankDelta other) =>
        _a.Columns == other._a.Columns && _turnedB.Columns == other._turnedB.Columns;

    /// <summary>The inner product of two changes of a layer.</summary>
    public double Inner(LowRankDelta other) => TensorPrimitives.Dot<double>(
        _turnedB.TimesTransposed(other._turnedB).Elements, _a.TimesTransposed(other._a).Elements);

    /// <summary>
    /// This less another: B·A − D·C = B·(A − C) + (B − D)·C, the smaller rank filled up with zeros. Unlike the inner
    /// products of both, it is exact where they are nearly the same.
    /// </summary>
    public LowRankDelta Less(LowRankDelta other)
    {
        var r = Math.Max(_a.Rows, other._a.Rows);
        var (a, b) = (new Matrix(2 * r, _a.Columns), new Matrix(2 * r, _turnedB.Columns));
        Add(_a, 1, a, 0);
        Add(other._a, -1, a, 0);
        Add(other._a, 1, a, r);
        Add(_turnedB, 1, b, 0);
        Add(_turnedB, 1, b, r);
        Add(other._turnedB, -1, b, r);
        return new LowRankDelta(a, b);
    }

    private static void Add(Matrix rows, double factor, Matrix target, int start)
    {
        for (var i = 0; i < rows.Rows; i++)
            TensorPrimitives.MultiplyAdd(rows.Row(i), factor, target.Row(start + i), target.Row(start + i));
    }

    /// <summary>Whether nothing but s·B·A changes the weight, with one A and one B for a layer.</summary>
    private static bool IsSum(LoraConfig config) =>
        config is { UseDora: false, EnableLora: null, TargetParameters: null }
        && !LoraInitialisers.TakeFromBase(config.InitLoraWeights);

    private static string? ModuleOfA(string name) =>
        HfName.IsLoraA(name) && name.StartsWith(HfName.Root, StringComparison.Ordinal)
        && HfName.LoraPairs.All(p => name != HfName.Root + p.A)
            ? HfName.ModuleOfLoraA(name)
            : null;

    /// <summary>A and B of a layer; none where one is missing.</summary>
    private static Tensor[] Factors(StoredAdapter adapter, string module)
    {
        foreach (var (a, b) in HfName.LoraPairs)
        {
            if (adapter.Tensors.TryGetValue(HfName.Of(module, a), out var first)
                && adapter.Tensors.TryGetValue(HfName.Of(module, b), out var second))
            {
                return [first, second];
            }
        }

        return [];
    }

    private static bool IsCheap(StoredAdapter adapter, string module)
    {
        if (Factors(adapter, module) is not [var a, var b])
            return false;
        return a.Type.IsFloating() && b.Type.IsFloating()
            && a.Dims is [var rank, _] && b.Dims is [_, var other] && rank == other
            && rank == ((LoraConfig)adapter.Config).RankOf(module)
            && rank <= LargestRank && a.Count <= MostElements && b.Count <= MostElements;
    }

    private static Matrix MatrixOf(Tensor tensor, double factor)
    {
        var matrix = new Matrix((int)tensor.Dims[0], (int)tensor.Dims[1]);
        var pieces = new TensorPieces(tensor);
        for (var at = 0; at < matrix.Elements.Length;)
        {
            var piece = pieces.From(at);
            for (var i = 0; i < piece.Length; i++, at++)
                matrix.Elements[at] = factor * piece[i];
        }

        return matrix;
    }
}
