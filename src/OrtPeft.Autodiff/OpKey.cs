namespace OrtPeft.Autodiff;

/// <summary>An operator in the form it has from one operator-set version on.</summary>
/// <param name="Domain">The operator's domain; empty for the standard.</param>
/// <param name="OpType">The operator, such as <c>MatMul</c>.</param>
/// <param name="SinceOpset">The first version of the operator set with this form.</param>
public readonly record struct OpKey(string Domain, string OpType, int SinceOpset)
{
    /// <summary>Makes a key of the standard domain, in a collection expression of rows.</summary>
    /// <param name="row">Operator and first version.</param>
    public static implicit operator OpKey((string OpType, int SinceOpset) row) => new("", row.OpType, row.SinceOpset);
}
