namespace OrtPeft.Adapters.Lora.Initialization;

/// <summary>
/// OLoRA: with W = Q·R over [out, in], B holds the first r columns of Q and A the first r rows of R; W goes on with
/// W − s·B·A. HF PEFT takes the decomposition of GPT-2's weights as they are stored, [in, out], which does not fit
/// their layers; here it is always [out, in].
/// </summary>
/// <seealso href="https://arxiv.org/abs/2406.01775">Büyükakyüz, algorithm 1.</seealso>
internal static class Olora
{
    public static LoraFactors Factors(LoraStartingPoint start)
    {
        start.RequireRankWithinWeight();
        return LoraFactors.Promised(start, () => Decomposed(start)) with { AreTakenFromBase = true };
    }

    private static LoraFactors Decomposed(LoraStartingPoint start)
    {
        var weight = start.Weight();
        var q = weight.FirstColumns(start.Rank).Transposed();
        q.OrthonormaliseRows();
        var r = q.Times(weight);
        return new LoraFactors(r.ToTensor(), q.Transposed().ToTensor());
    }
}
