using OrtPeft.Artifacts;
using OrtPeft.Tensors;

namespace OrtPeft.Training.Tests.Optimizers;

/// <summary>An optimiser in float64, as its paper or PyTorch's page writes it, one tensor after the other.</summary>
internal abstract class Reference(OptimizerConfig config, IReadOnlyList<ArtifactParameter> parameters, double[] weights)
{
    public double[] Weights { get; } = weights;

    /// <summary>What is evaluated, where it is not the weights.</summary>
    public virtual double[]? Averages => null;

    /// <summary>The number of the step that is made, from 1.</summary>
    protected int Number { get; private set; }

    public static Reference Of(OptimizerConfig config, IReadOnlyList<ArtifactParameter> parameters, double[] start) =>
        config switch
        {
            LionConfig lion => new Lion(lion, parameters, start),
            SgdConfig sgd => new Sgd(sgd, parameters, start),
            AdafactorConfig adafactor => new Adafactor(adafactor, parameters, start),
            MuonConfig muon => new Muon(muon, parameters, start),
            ScheduleFreeAdamWConfig free => new ScheduleFree(free, parameters, start),
            AdamW8bitConfig eight => new EightBits(eight, parameters, start),
            _ => throw new ArgumentException(config.Name, nameof(config)),
        };

    /// <summary>Looks at the graph's state before a step.</summary>
    public virtual void See(IReadOnlyDictionary<string, Tensor> state)
    {
    }

    public void Step(double[] gradient, double rate)
    {
        Number++;
        var norm = Math.Sqrt(gradient.Sum(static x => x * x));
        var clip = config.MaxGradNorm > 0 ? Math.Min(1, config.MaxGradNorm / (norm + 1e-6)) : 1;
        double[] clipped = [.. gradient.Select(g => g * clip)];
        foreach (var parameter in parameters)
        {
            var start = (int)parameter.Offset!.Value;
            Move(parameter, start, clipped[start..(start + (int)parameter.Count)], rate);
        }
    }

    /// <summary>Moves a tensor's weights, which begin at a place.</summary>
    protected abstract void Move(ArtifactParameter parameter, int start, double[] g, double rate);

    private sealed class Lion(LionConfig config, IReadOnlyList<ArtifactParameter> parameters, double[] weights)
        : Reference(config, parameters, weights)
    {
        private readonly double[] _m = new double[weights.Length];

        protected override void Move(ArtifactParameter parameter, int start, double[] g, double rate)
        {
            for (var (i, k) = (start, 0); k < g.Length; i++, k++)
            {
                var update = Math.Sign((config.Beta1 * _m[i]) + ((1 - config.Beta1) * g[k]));
                Weights[i] -= rate * (update + (config.WeightDecay * Weights[i]));
                _m[i] = (config.Beta2 * _m[i]) + ((1 - config.Beta2) * g[k]);
            }
        }
    }

    private sealed class Sgd(SgdConfig config, IReadOnlyList<ArtifactParameter> parameters, double[] weights)
        : Reference(config, parameters, weights)
    {
        private readonly double[] _buffer = new double[weights.Length];

        protected override void Move(ArtifactParameter parameter, int start, double[] g, double rate)
        {
            for (var (i, k) = (start, 0); k < g.Length; i++, k++)
            {
                var gradient = g[k] + (config.WeightDecay * Weights[i]);
                _buffer[i] = (config.Momentum * _buffer[i]) + gradient;
                Weights[i] -= rate * (config.Momentum == 0 ? gradient
                    : config.Nesterov ? gradient + (config.Momentum * _buffer[i]) : _buffer[i]);
            }
        }
    }

    /// <summary>As transformers' class, without relative steps.</summary>
    private sealed class Adafactor(AdafactorConfig config, IReadOnlyList<ArtifactParameter> parameters, double[] weights)
        : Reference(config, parameters, weights)
    {
        private readonly Dictionary<string, (double[] Rows, double[] Columns)> _factors = [];
        private readonly double[] _v = new double[weights.Length];

        protected override void Move(ArtifactParameter parameter, int start, double[] g, double rate)
        {
            var beta = 1 - Math.Pow(Number, -0.8);
            double[] squares = [.. g.Select(x => (x * x) + config.Epsilon)];
            var update = parameter.Dims.Count >= 2
                ? OfMatrices(parameter, squares, beta, g)
                : [.. g.Select((x, k) =>
                {
                    _v[start + k] = (beta * _v[start + k]) + ((1 - beta) * squares[k]);
                    return x / Math.Sqrt(_v[start + k]);
                })];
            var size = Math.Sqrt(update.Sum(static x => x * x) / update.Length);
            var shrink = Math.Max(1, size / config.ClipThreshold);
            for (var k = 0; k < g.Length; k++)
                Weights[start + k] = (Weights[start + k] * (1 - (rate * config.WeightDecay))) - (rate * update[k] / shrink);
        }

        private double[] OfMatrices(ArtifactParameter parameter, double[] squares, double beta, double[] g)
        {
            var (rows, columns) = ((int)parameter.Dims[^2], (int)parameter.Dims[^1]);
            var matrices = g.Length / rows / columns;
            if (!_factors.TryGetValue(parameter.Name, out var factors))
                _factors[parameter.Name] = factors = (new double[matrices * rows], new double[matrices * columns]);
            var update = new double[g.Length];
            for (var m = 0; m < matrices; m++)
            {
                double Square(int r, int c) => squares[(((m * rows) + r) * columns) + c];
                for (var r = 0; r < rows; r++)
                {
                    var mean = Enumerable.Range(0, columns).Average(c => Square(r, c));
                    factors.Rows[(m * rows) + r] = (beta * factors.Rows[(m * rows) + r]) + ((1 - beta) * mean);
                }

                for (var c = 0; c < columns; c++)
                {
                    var mean = Enumerable.Range(0, rows).Average(r => Square(r, c));
                    factors.Columns[(m * columns) + c] = (beta * factors.Columns[(m * columns) + c]) + ((1 - beta) * mean);
                }

                var all = factors.Rows.Skip(m * rows).Take(rows).Average();
                for (var (r, i) = (0, m * rows * columns); r < rows; r++)
                {
                    for (var c = 0; c < columns; c++, i++)
                    {
                        update[i] = g[i] / Math.Sqrt(
                            factors.Rows[(m * rows) + r] / all * factors.Columns[(m * columns) + c]);
                    }
                }
            }

            return update;
        }
    }

    /// <summary>PyTorch's Muon, and AdamW for tensors of one axis.</summary>
    private sealed class Muon(MuonConfig config, IReadOnlyList<ArtifactParameter> parameters, double[] weights)
        : Reference(config, parameters, weights)
    {
        private readonly double[] _m = new double[weights.Length];
        private readonly double[] _v = new double[weights.Length];

        protected override void Move(ArtifactParameter parameter, int start, double[] g, double rate)
        {
            for (var k = 0; k < g.Length; k++)
                Weights[start + k] *= 1 - (rate * config.WeightDecay);
            if (parameter.Dims.Count < 2)
            {
                for (var (i, k) = (start, 0); k < g.Length; i++, k++)
                {
                    _m[i] = (config.Beta1 * _m[i]) + ((1 - config.Beta1) * g[k]);
                    _v[i] = (config.Beta2 * _v[i]) + ((1 - config.Beta2) * g[k] * g[k]);
                    Weights[i] -= rate * _m[i] / (1 - Math.Pow(config.Beta1, Number))
                        / (Math.Sqrt(_v[i] / (1 - Math.Pow(config.Beta2, Number))) + config.Epsilon);
                }

                return;
            }

            var (rows, columns) = ((int)parameter.Dims[^2], (int)parameter.Dims[^1]);
            var scale = config.OriginalRate
                ? Math.Sqrt(Math.Max(1, (double)rows / columns))
                : 0.2 * Math.Sqrt(Math.Max(rows, columns));
            for (var first = 0; first < g.Length; first += rows * columns)
            {
                var matrix = new double[rows, columns];
                for (var k = 0; k < rows * columns; k++)
                {
                    var i = start + first + k;
                    _m[i] += (g[first + k] - _m[i]) * (1 - config.Momentum);
                    matrix[k / columns, k % columns] = config.Nesterov
                        ? g[first + k] + ((_m[i] - g[first + k]) * config.Momentum)
                        : _m[i];
                }

                var update = Orthogonal(matrix);
                for (var k = 0; k < rows * columns; k++)
                    Weights[start + first + k] -= rate * scale * update[k / columns, k % columns];
            }
        }

        private static double[,] Orthogonal(double[,] g)
        {
            var (rows, columns) = (g.GetLength(0), g.GetLength(1));
            if (rows > columns)
                return Turned(Orthogonal(Turned(g)));
            var norm = Math.Max(Math.Sqrt(g.Cast<double>().Sum(static x => x * x)), 1e-7);
            var x = Each(g, (_, _, v) => v / norm);
            for (var i = 0; i < 5; i++)
            {
                var gram = Product(x, Turned(x));
                var square = Product(gram, gram);
                var step = Product(Each(gram, (r, c, v) => (-4.7750 * v) + (2.0315 * square[r, c])), x);
                x = Each(x, (r, c, v) => (3.4445 * v) + step[r, c]);
            }

            return x;
        }

        private static double[,] Each(double[,] a, Func<int, int, double, double> f)
        {
            var result = new double[a.GetLength(0), a.GetLength(1)];
            for (var r = 0; r < a.GetLength(0); r++)
            {
                for (var c = 0; c < a.GetLength(1); c++)
                    result[r, c] = f(r, c, a[r, c]);
            }

            return result;
        }

        private static double[,] Turned(double[,] a) =>
            Each(new double[a.GetLength(1), a.GetLength(0)], (r, c, _) => a[c, r]);

        private static double[,] Product(double[,] a, double[,] b) => Each(
            new double[a.GetLength(0), b.GetLength(1)],
            (r, c, _) => Enumerable.Range(0, a.GetLength(1)).Sum(k => a[r, k] * b[k, c]));
    }

    /// <summary>As the authors' class AdamWScheduleFree, which keeps y and z and moves y by itself.</summary>
    private sealed class ScheduleFree(
        ScheduleFreeAdamWConfig config, IReadOnlyList<ArtifactParameter> parameters, double[] weights)
        : Reference(config, parameters, weights)
    {
        private readonly double[] _z = [.. weights];
        private readonly double[] _v = new double[weights.Length];
        private double _sum;
        private double _highest;
        private double _share;
        private int _at;

        /// <summary>x, from y and z.</summary>
        public override double[] Averages =>
            [.. Weights.Zip(_z, (y, z) => (y - ((1 - config.Beta1) * z)) / config.Beta1)];

        protected override void Move(ArtifactParameter parameter, int start, double[] g, double rate)
        {
            if (_at != Number)
            {
                _at = Number;
                _highest = Math.Max(rate, _highest);
                _sum += _highest * _highest;
                _share = _highest * _highest / _sum;
            }

            for (var (i, k) = (start, 0); k < g.Length; i++, k++)
            {
                _v[i] = (config.Beta2 * _v[i]) + ((1 - config.Beta2) * g[k] * g[k]);
                var direction = (g[k] / (Math.Sqrt(_v[i] / (1 - Math.Pow(config.Beta2, Number))) + config.Epsilon))
                    + (config.WeightDecay * Weights[i]);
                Weights[i] += (_z[i] - Weights[i]) * _share;
                Weights[i] += direction * rate * ((config.Beta1 * (1 - _share)) - 1);
                _z[i] -= rate * direction;
            }
        }
    }

    /// <summary>
    /// AdamW from the moments that the graph's codes stand for, which are checked: each must be a nearest one, up to float32's
    /// rounding of what is encoded.
    /// </summary>
    private sealed class EightBits(AdamW8bitConfig config, IReadOnlyList<ArtifactParameter> parameters, double[] weights)
        : Reference(config, parameters, weights)
    {
        private const int Block = 256;
        private readonly double[] _signed = Map(7, isSigned: true);
        private readonly double[] _unsigned = Map(7, isSigned: false);
        private readonly double[] _m = new double[weights.Length];
        private readonly double[] _v = new double[weights.Length];

        public override void See(IReadOnlyDictionary<string, Tensor> state)
        {
            See(state, _m, _signed, ValueRoles.FirstMoments, ValueRoles.FirstScales);
            See(state, _v, _unsigned, ValueRoles.SecondMoments, ValueRoles.SecondScales);
        }

        protected override void Move(ArtifactParameter parameter, int start, double[] g, double rate)
        {
            for (var (i, k) = (start, 0); k < g.Length; i++, k++)
            {
                _m[i] = (config.Beta1 * _m[i]) + ((1 - config.Beta1) * g[k]);
                _v[i] = (config.Beta2 * _v[i]) + ((1 - config.Beta2) * g[k] * g[k]);
                Weights[i] *= 1 - (rate * config.WeightDecay);
                Weights[i] -= rate * _m[i] / (1 - Math.Pow(config.Beta1, Number))
                    / (Math.Sqrt(_v[i] / (1 - Math.Pow(config.Beta2, Number))) + config.Epsilon);
            }
        }

        /// <summary>The numbers that bitsandbytes gives for its map, by its recipe of boundaries and their means.</summary>
        private static double[] Map(int exponents, bool isSigned)
        {
            var numbers = new List<double> { 0, 1 };
            for (var i = 0; i < exponents; i++)
            {
                var items = (isSigned ? 1 << i : 1 << (i + 1)) + 1;
                double[] boundaries = [.. Enumerable.Range(0, items).Select(k => 0.1 + (0.9 * k / (items - 1)))];
                foreach (var mean in boundaries.Zip(boundaries.Skip(1), static (a, b) => (a + b) / 2))
                {
                    numbers.Add(Math.Pow(10, i - exponents + 1) * mean);
                    if (isSigned)
                        numbers.Add(-Math.Pow(10, i - exponents + 1) * mean);
                }
            }

            Assert.Equal(256, numbers.Count);
            return [.. numbers.Order()];
        }

        private void See(
            IReadOnlyDictionary<string, Tensor> state, double[] moments, double[] map, string codes, string scales)
        {
            var (code, scale) = (state[codes].Span<byte>().ToArray(), state[scales].ToFloat32());
            for (var i = 0; i < moments.Length; i++)
            {
                var block = moments.AsSpan((i / Block * Block)..Math.Min(moments.Length, ((i / Block) + 1) * Block));
                var decoded = map[code[i]] * scale[i / Block];
                if (Number > 0 && i % Block == 0)
                {
                    var largest = 0.0;
                    foreach (var x in block)
                        largest = Math.Max(largest, Math.Abs(x));
                    Assert.Equal(1, scale[i / Block] / largest, 1e-5);
                }

                var nearest = map.Min(x => Math.Abs((x * scale[i / Block]) - moments[i]));
                Assert.True(Math.Abs(decoded - moments[i]) <= nearest + (1e-5 * Math.Abs(moments[i])) + 1e-12);
                if (i % Block != Block - 1 && i != moments.Length - 1)
                    continue;
                for (var k = i / Block * Block; k <= i; k++)
                    moments[k] = map[code[k]] * scale[k / Block];
            }
        }
    }
}
