namespace OrtPeft.Adapters.Lora.Initialization;

/// <summary>
/// A and B random with B·A = 0: A combines the odd rows of an orthogonal r × r matrix, B the even ones.
/// </summary>
/// <seealso href="https://datta0.github.io/posts/rethink-lora-init/">Datta, Rethinking LoRA
/// initialisation.</seealso>
internal static class Orthogonal
{
    private const double Deviation = 0.1;

    public static LoraFactors Factors(LoraStartingPoint start)
    {
        var r = start.Rank;
        if (r % 2 != 0)
            throw new ConfigException(
                $"init_lora_weights 'orthogonal' needs an even rank, but r is {r} at {start.Target.Name}; "
                + $"take {r + 1}.");
        return LoraFactors.Promised(start, () => Combined(start));
    }

    private static LoraFactors Combined(LoraStartingPoint start)
    {
        var r = start.Rank;
        var basis = start.Normal(r, r, "basis");
        basis.OrthonormaliseRows();
        var a = start.Normal(start.Target.InFeatures, r / 2, "a").Times(basis.EveryOtherRow(0)).Transposed();
        var b = start.Normal(start.Target.OutFeatures, r / 2, "b").Times(basis.EveryOtherRow(1));
        double[] deviations = [.. Enumerable.Repeat(Deviation, r)];
        return new LoraFactors(
            a.ScaledRows(deviations).ToTensor(), b.Transposed().ScaledRows(deviations).Transposed().ToTensor());
    }
}
