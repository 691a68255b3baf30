using OrtPeft.Onnx.Passes.Contrib;
using OrtPeft.Onnx.Passes.Idioms;
using OrtPeft.Onnx.Passes.Newer;
using OrtPeft.Onnx.Passes.Products;

namespace OrtPeft.Onnx.Passes;

/// <summary>
/// The form that adapters and gradient rules are written for: one operator-set version, constants as initializers.
/// Passes run in the order of this list.
/// </summary>
internal static class CanonicalForm
{
    /// <summary>The operator-set version of the form: the newest that ONNX Runtime 1.19 and later all run.</summary>
    public const int Opset = 21;

    private const string Dynamic = "dynamic-products";

    /// <summary>The passes, in order.</summary>
    public static IReadOnlyList<GraphPass> Passes { get; } =
    [
        new("input-defaults", InputDefaults.Run),
        new("repeated-axes", RepeatedAxes.Run),
        new("resolve-if", IfResolution.Run),
        new("source-paths", SourcePathNaming.Run),
        new("constants-to-initializers", ConstantsToInitializers.Run),
        new("widen-half", HalfWidening.Run),
        new("upgrade-opset", OpsetUpgrade.Run),
        new("lower-opset", OpsetLowering.Run),
        new("computed-constants", ComputedConstants.OfConstants),
        new("plain-operators", PlainOps.Run),
        new("loops-to-scans", LoopsToScans.Run),
        new("remove-identity", IdentityRemoval.Run),
        new("empty-slots", EmptySlots.Run),
        new("fused-to-standard", ContribOps.Run),
        new("linear-forms", LinearForms.Run),
        new("one-hot-rows", OneHotRows.Run),
        new("fuse-layer-norm", LayerNormFusion.Run),
        new("fuse-rms-norm", RmsNormFusion.Run),
        new("fuse-gelu", GeluFusion.Run),
        new("parameter-names", ParameterNames.Run),
        new("folded-norms", FoldedNorms.Run),
        new("packed-weights", PackedWeights.Run),
        new(Dynamic, DynamicProducts.Run),
        new("packed-projections", PackedProjections.Run),
        new("joined-projections", JoinedProjections.Run),
        new("decoder-names", DecoderNaming.Run),
        new("limit-constants", ConstantSizes.Run),
    ];

    /// <summary>Brings a model into the form, in place.</summary>
    /// <param name="model">The model.</param>
    /// <exception cref="UnsupportedOpException">A node cannot be brought into the form; the message names
    /// it.</exception>
    /// <exception cref="GraphException">A node contradicts its operator's definition.</exception>
    /// <exception cref="PassException">A pass failed in a way that it does not foresee.</exception>
    public static void Apply(Model model)
    {
        foreach (var pass in Passes)
            pass.Run(model);
    }

    /// <summary>As <see cref="Apply"/>, for a model that is run as it is: its activations stay rounded.</summary>
    /// <param name="model">The model.</param>
    public static void ApplyRounding(Model model)
    {
        foreach (var pass in Passes.Where(static p => p.Name != Dynamic))
            pass.Run(model);
    }
}
