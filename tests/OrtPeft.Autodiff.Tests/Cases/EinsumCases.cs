using OrtPeft.Autodiff.Tests.Proof;
using OrtPeft.Onnx;
using static OrtPeft.Autodiff.Tests.Proof.TestInput;

namespace OrtPeft.Autodiff.Tests.Cases;

/// <summary>Einsum: every kind of axis, and the implicit output.</summary>
internal static class EinsumCases
{
    public static IEnumerable<GradientCase> Rows =>
    [
        Einsum("bij,bjk->bik", Generic(2, 2, 3), Generic(2, 3, 2)),
        Einsum("bhid,bhjd->bhij", Generic(1, 2, 2, 3), Generic(1, 2, 3, 3)),
        Einsum("ij->ji", Generic(2, 3)),
        Einsum("ij->i", Generic(2, 3)),
        Einsum("ij->j", Generic(2, 3)),
        Einsum("ij->", Generic(2, 3)),
        Einsum("ij,jk", Generic(2, 3), Generic(3, 2)),
        Einsum("ba", Generic(2, 3)),
        Einsum("i,j->ij", Generic(2), Generic(3)),
        Einsum("i,i->", Generic(3), Generic(3)),
        Einsum("i,j->i", Generic(2), Generic(3)),
        Einsum("ij,jk,kl->il", Generic(2, 3), Generic(3, 2), Generic(2, 2)),
        Einsum("abc,b->ca", Generic(2, 3, 2), Generic(3)),
        Einsum("b I j , j -> b I", Generic(2, 2, 3), Generic(3)),
    ];

    private static GradientCase Einsum(string equation, params TestInput[] inputs) =>
        new("Einsum", equation, (g, x) => [g.Op("Einsum", x, NodeAttribute.Of("equation", equation))], inputs);
}
