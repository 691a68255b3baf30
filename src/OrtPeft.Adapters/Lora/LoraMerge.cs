using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using OrtPeft.Adapters.Modules;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Storage;
using Tensor = OrtPeft.Onnx.Tensor;

namespace OrtPeft.Adapters.Lora;

/// <summary>Adds s·(B·A) to a weight, in the weight's own layout.</summary>
internal static class LoraMerge
{
    /// <summary>
    /// Row i of the weight gains s·Σₖ factor[i, k]·direction[k, :]. Stored [out, in], the factors are B and the
    /// directions
    /// A; stored [in, out], they are Aᵀ and Bᵀ.
    /// </summary>
    public static void Fold(Graph graph, LinearModule module, double scale, Tensor a, Tensor b)
    {
        var weight = module.Weight.Initializer!;
        if (weight.Type != ElementType.Float)
            throw new ConfigException($"{module.Name}: its weight is {weight.Type}; merging needs Float weights.");
        var (rows, columns, r) = ((int)weight.Dims[0], (int)weight.Dims[1], (int)a.Dims[0]);
        var factors = module.IsOutByIn ? b.ToFloat32() : Transposed(a);
        var directions = module.IsOutByIn ? a.ToFloat32() : Transposed(b);
        var merged = GC.AllocateUninitializedArray<byte>(checked(rows * columns * sizeof(float)));
        weight.Data.Slice(0, merged.Length).CopyTo(merged);
        for (var row = 0; row < rows; row++)
        {
            var target = MemoryMarshal.Cast<byte, float>(merged.AsSpan()).Slice(row * columns, columns);
            for (var k = 0; k < r; k++)
            {
                var factor = (float)(scale * factors[(row * r) + k]);
                TensorPrimitives.MultiplyAdd(directions.AsSpan(k * columns, columns), factor, target, target);
            }
        }

        ModuleWeights.Replace(graph, module, new Tensor(weight.Type, weight.Dims, new MemoryTensorData(merged)));
    }

    private static float[] Transposed(Tensor matrix)
    {
        var (rows, columns) = ((int)matrix.Dims[0], (int)matrix.Dims[1]);
        var source = matrix.ToFloat32();
        var result = new float[source.Length];
        for (var i = 0; i < rows; i++)
            for (var j = 0; j < columns; j++)
                result[(j * rows) + i] = source[(i * columns) + j];
        return result;
    }
}
