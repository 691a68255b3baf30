using System.Numerics.Tensors;
using OrtPeft.Adapters.Configuration;
using OrtPeft.Adapters.Modules;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;

using Tensor = OrtPeft.Tensors.Tensor;

namespace OrtPeft.Adapters.Vera;

/// <summary>VeRA: two trained vectors a layer around random projections that all layers share.</summary>
/// <seealso href="https://arxiv.org/abs/2310.11454">Kopiczko et al., VeRA.</seealso>
internal sealed class VeraMethod : IPeftMethod
{
    /// <inheritdoc/>
    public MethodDescription Description { get; } = new()
    {
        Name = "vera",
        PeftType = "VERA",
        Title = "VeRA",
        Paper = new("https://arxiv.org/abs/2310.11454"),
        Trains = "two vectors per chosen layer around random projections that all layers share",
        Options =
        [
            SharedOptions.Rank(alpha: null),
            SharedOptions.Dropout("vera_dropout"),
            SharedOptions.Targets,
            SharedOptions.Bias,
            SharedOptions.Layers,
        ],
    };

    /// <inheritdoc/>
    public PeftConfig ReadConfig(ConfigFields fields) => VeraConfig.FromFields(fields);

    /// <inheritdoc/>
    public Injection Inject(Model model, PeftConfig config, long seed)
    {
        ArgumentNullException.ThrowIfNull(model);
        var vera = (VeraConfig)config;
        vera.Validate();
        var builder = GraphBuilder.Over(model);
        var (resolved, selected) = TargetResolution.Resolve(model.Graph, vera, DefaultTargets.QueriesAndValues);
        var projections = VeraProjections.AddTo(model.Graph, selected, vera);
        var vectors = selected.SelectMany(m => InjectInto(m, vera, projections, builder, seed)).ToList();
        var biases = TrainedBiases.Select(model.Graph, vera.Bias, "vera_only", selected, vera.ModulesToSave);
        var foldBiases = Counterparts.FoldingOf(biases);
        return new Injection(resolved, [.. vectors, .. biases])
        {
            Buffers = [projections.A, projections.B],
            LowRank = biases.Count == 0 ? weights => selected.Select(m => Change(m, weights)) : null,
            Merge = (copy, weights) =>
            {
                foreach (var module in Counterparts.Of(selected, copy))
                    ModuleWeights.Add(copy, module, Delta(module, weights), 1);
                foldBiases(copy, weights);
            },
        };
    }

    private static AdapterParameter[] InjectInto(
        LinearModule module, VeraConfig config, VeraProjections projections, GraphBuilder g, long seed)
    {
        var (nameD, nameB) = (NameOf(module, "vera_lambda_d"), NameOf(module, "vera_lambda_b"));
        var d = Vector(nameD, config.InitWeights
            ? InitialWeights.Filled((float)config.DInitial, config.R)
            : InitialWeights.Normal(seed, nameD, 1, config.R));
        var b = Vector(nameB, InitialWeights.Filled(config.InitWeights ? 0 : 1, module.OutFeatures));
        var graft = new ModuleGraft(g, module, "/vera");
        var x = graft.Input();
        if (config.VeraDropout > 0)
            x = g.Dropout(x, config.VeraDropout);
        var low = g.Term(g.Gemm(x, projections.PartOfA(g, module), transB: true)) * d.Value;
        var delta = g.Term(g.Gemm(low, projections.PartOfB(g, module), transB: true)) * b.Value;
        graft.ReplaceProduct(y => g.Term(y) + delta);
        return [b, d];

        AdapterParameter Vector(string name, Tensor content) =>
            new(name, g.Graph.AddInitializer(g.Graph.FreshName(name), content));
    }

    /// <summary>B = diag(b)·B of the layer, A = diag(d)·A of the layer.</summary>
    private static LowRankChange Change(LinearModule module, IReadOnlyDictionary<string, Tensor> weights)
    {
        var (a, b) = (weights[VeraProjections.NameOfA].ToFloat32(), weights[VeraProjections.NameOfB].ToFloat32());
        var lambdaB = weights[NameOf(module, "vera_lambda_b")].ToFloat32();
        var lambdaD = weights[NameOf(module, "vera_lambda_d")].ToFloat32();
        var (r, columns, width) = (lambdaD.Length, (int)module.InFeatures, a.Length / lambdaD.Length);
        var (down, up) = (new float[r * columns], new float[lambdaB.Length * r]);
        for (var k = 0; k < r; k++)
            TensorPrimitives.Multiply(a.AsSpan(k * width, columns), lambdaD[k], down.AsSpan(k * columns, columns));
        for (var i = 0; i < lambdaB.Length; i++)
            TensorPrimitives.Multiply(b.AsSpan(i * r, r), lambdaB[i], up.AsSpan(i * r, r));
        return LowRankChange.Of(module, down, up, 1);
    }

    /// <summary>ΔW[i, :] = b[i]·Σₖ B[i, k]·d[k]·A[k, :], [out, in].</summary>
    private static float[] Delta(LinearModule module, IReadOnlyDictionary<string, Tensor> weights)
    {
        var (a, b) = (weights[VeraProjections.NameOfA], weights[VeraProjections.NameOfB]);
        var (as32, bs32) = (a.ToFloat32(), b.ToFloat32());
        var lambdaB = weights[NameOf(module, "vera_lambda_b")].ToFloat32();
        var lambdaD = weights[NameOf(module, "vera_lambda_d")].ToFloat32();
        var (columns, width) = ((int)module.InFeatures, (int)a.Dims[1]);
        var delta = new float[checked(lambdaB.Length * columns)];
        for (var i = 0; i < lambdaB.Length; i++)
        {
            var row = delta.AsSpan(i * columns, columns);
            for (var k = 0; k < lambdaD.Length; k++)
            {
                var factor = lambdaB[i] * bs32[(i * lambdaD.Length) + k] * lambdaD[k];
                TensorPrimitives.MultiplyAdd(as32.AsSpan(k * width, columns), factor, row, row);
            }
        }

        return delta;
    }

    private static string NameOf(LinearModule module, string vector) => HfName.Of(module.Name, vector);
}
