using OrtPeft.Artifacts;

namespace OrtPeft.Training.Tests.Optimizers;

/// <summary>PyTorch's AdamW with <c>clip_grad_norm_</c>, element by element in float64.</summary>
internal sealed class AdamW(double[] start, AdamWConfig config)
{
    private readonly double[] _m = new double[start.Length];
    private readonly double[] _v = new double[start.Length];
    private int _step;

    public double[] Weights { get; } = [.. start];

    /// <summary>Takes a step and returns the gradient's norm before clipping.</summary>
    public double Step(float[] gradient, double rate)
    {
        _step++;
        var norm = Math.Sqrt(gradient.Sum(static g => (double)g * g));
        var clip = config.MaxGradNorm > 0 ? Math.Min(1, config.MaxGradNorm / (norm + 1e-6)) : 1;
        for (var i = 0; i < gradient.Length; i++)
        {
            var g = gradient[i] * clip;
            _m[i] = (config.Beta1 * _m[i]) + ((1 - config.Beta1) * g);
            _v[i] = (config.Beta2 * _v[i]) + ((1 - config.Beta2) * g * g);
            var mHat = _m[i] / (1 - Math.Pow(config.Beta1, _step));
            var vHat = _v[i] / (1 - Math.Pow(config.Beta2, _step));
            Weights[i] -= rate * config.WeightDecay * Weights[i];
            Weights[i] -= rate * mHat / (Math.Sqrt(vHat) + config.Epsilon);
        }

        return norm;
    }
}
