using OrtPeft.Artifacts;
using OrtPeft.Onnx.Building;
using OrtPeft.Tensors;
using static OrtPeft.Onnx.Building.Formula;

namespace OrtPeft.Compilation.Optimizers;

/// <summary><see cref="AdamW8bitConfig"/> as a graph: <see cref="AdamW"/> whose moments are decoded before the step and
/// encoded after it.</summary>
internal static class AdamW8bit
{
    private const long Block = 256;

    /// <inheritdoc cref="AdamW.Build"/>
    public static Term Build(OptimizerStep step, AdamW8bitConfig config)
    {
        var blocks = (step.Length + Block - 1) / Block;
        var first = new Codes(step, DynamicMap.Signed, ValueRoles.FirstMoments, ValueRoles.FirstScales, blocks);
        var second = new Codes(step, DynamicMap.Unsigned, ValueRoles.SecondMoments, ValueRoles.SecondScales, blocks);
        var g = InBlocks(step.Gradients, step.Length, blocks);
        var m = config.Beta1 * first.Decoded + (1 - config.Beta1) * g;
        var v = config.Beta2 * second.Decoded + (1 - config.Beta2) * (g * g);
        first.Encode(m);
        second.Encode(v);
        var direction = Reshape(
            AdamW.Direction(step.Number, m, v, config.Beta1, config.Beta2, config.Epsilon), -1);
        var move = step.Rate * Start(direction, step.Length, blocks);
        return step.Decayed(config.WeightDecay) - move;
    }

    /// <summary>[blocks, 256], zeros after the last element.</summary>
    private static Term InBlocks(Term flat, long length, long blocks)
    {
        var g = flat.Builder;
        var rest = (blocks * Block) - length;
        var whole = rest == 0
            ? flat
            : g.Term(g.Concat(0, flat, g.Constant(Tensor.Of<float>(new float[rest], [rest]), "rest")));
        return Reshape(whole, blocks, Block);
    }

    private static Term Start(Term flat, long length, long blocks)
    {
        var g = flat.Builder;
        return length == blocks * Block ? flat : g.Term(g.Op("Slice", flat, g.Int64(0), g.Int64(length)));
    }

    /// <summary>Moments in 8 bits.</summary>
    private sealed class Codes
    {
        private readonly OptimizerStep _step;
        private readonly float[] _map;
        private readonly (string Codes, string Scales) _roles;

        public Codes(OptimizerStep step, float[] map, string codes, string scales, long blocks)
        {
            (_step, _map, _roles) = (step, map, (codes, scales));
            var scale = step.State(scales, ElementType.Float, blocks, 1);
            var code = Cast(step.State(codes, ElementType.UInt8, blocks, Block), ElementType.Int32);
            Decoded = scale * Lookup(map, code);
        }

        /// <summary>The moments before the step, [blocks, 256].</summary>
        public Term Decoded { get; }

        /// <summary>Says what they become: of each number over its block's largest magnitude the nearest code.</summary>
        public void Encode(Term moments)
        {
            var g = moments.Builder;
            var scale = g.Term(g.Op("ReduceMax", [g.Op("Abs", moments), g.Int64(1)]));
            var x = moments / Where(Equal(scale, 0), 1, scale);
            float[] middles = [.. _map.Zip(_map.Skip(1), static (a, b) => (a + b) / 2)];
            Term? found = null;
            for (var half = 128; half > 0; half /= 2)
            {
                // A code is right where the middle before it lies below the number: eight questions find it.
                if (found is not { } code)
                {
                    found = Cast(x > middles[half - 1], ElementType.Int32) * half;
                    continue;
                }

                var next = Lookup(middles, code + (half - 1));
                found = code + Cast(x > next, ElementType.Int32) * half;
            }

            _step.Update(_roles.Codes, Cast(found!.Value, ElementType.UInt8));
            _step.Update(_roles.Scales, scale);
        }

        private static Term Lookup(float[] table, Term index)
        {
            var g = index.Builder;
            return g.Term(g.Gather(g.Constant(Tensor.Of<float>(table, [table.Length]), "map"), index));
        }
    }
}
