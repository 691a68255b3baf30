using OrtPeft.Adapters;
using OrtPeft.Adapters.Lora;
using OrtPeft.Inference.Evaluation;
using OrtPeft.Inference.Generation;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Serialization;
using OrtPeft.Runtime.Sessions;
using OrtPeft.Tensors;
using OrtPeft.Testing;
using OrtPeft.Training.Data;
using OrtPeft.Training.Metrics;
using OrtPeft.Training.Tests.Runs;

namespace OrtPeft.Training.Tests.Verdicts;

/// <summary>The verdict says yes exactly where a trainer takes its first step on rows of tokens.</summary>
public sealed class ModelVerdictTests
{
    private static readonly RuntimeOptions OneThread = new() { Threads = 1, Prepacking = false };

    /// <summary>Dresses of one decoder that train alike.</summary>
    private static readonly Dictionary<string, TinyDecoder> Trained = new(StringComparer.Ordinal)
    {
        ["plain"] = new(),
        ["int32"] = new() { IdsType = ElementType.Int32, MaskType = ElementType.Int32 },
        ["no mask"] = new() { Mask = "none" },
        ["bool mask"] = new() { MaskType = ElementType.Bool },
        ["float mask"] = new() { MaskType = ElementType.Float },
        ["added pairs"] = new() { Mask = "4", MaskType = ElementType.Float },
        ["bool pairs"] = new() { Mask = "4", MaskType = ElementType.Bool },
        ["int pairs"] = new() { Mask = "4" },
        ["added keys"] = new() { Mask = "keys", MaskType = ElementType.Float },
        ["bool keys"] = new() { Mask = "keys", MaskType = ElementType.Bool },
        ["other names"] = new() { Ids = "idx", MaskName = "mask", Logits = "linear_14" },
        ["hidden first"] = new() { HiddenFirst = true },
        ["hidden first, other names"] = new() { HiddenFirst = true, Ids = "input1", Logits = "scores" },
        ["batch of one"] = new() { Batch = 1 },
        ["batch of two"] = new() { Batch = 2 },
        ["fixed length"] = new() { Length = 9 },
        ["all fixed"] = new() { Batch = 1, Length = 8 },
        ["all fixed, as many rows as tokens"] = new() { Batch = 8, Length = 8 },
        ["all fixed, bool mask"] = new() { Batch = 2, Length = 8, MaskType = ElementType.Bool },
        ["all fixed, added pairs"] = new() { Batch = 1, Length = 8, Mask = "4", MaskType = ElementType.Float },
        ["counted logits"] = new() { KeepsLogitsByInput = true },
        ["time first"] = new() { Positions = "time first" },
        ["time first, batch of one"] = new() { Positions = "time first", Batch = 1 },
        ["static cache"] = new() { Cache = 12, Mask = "none" },
        ["static cache, batch of one"] = new() { Cache = 12, Mask = "none", Batch = 1 },
    };

    /// <summary>Dresses that train, each to numbers of its own.</summary>
    private static readonly Dictionary<string, TinyDecoder> TrainedApart = new(StringComparer.Ordinal)
    {
        ["positions"] = new() { HasPositions = true, Length = 9 },
        ["scale, unnamed"] = new() { Head = "scale", Logits = "div" },
        ["softcap, unnamed"] = new() { Head = "softcap", Logits = "mul_977" },
        ["bias, unnamed"] = new() { Head = "bias", Logits = "add" },
        ["a word ruled out"] = new() { Head = "masked" },
    };

    /// <summary>What each says that does not train.</summary>
    private static readonly Dictionary<string, (TinyDecoder Decoder, string Word)> Refused = new(StringComparer.Ordinal)
    {
        ["bidirectional"] = (new() { IsCausal = false }, "bidirectional"),
        ["bidirectional, batch of one"] = (new() { IsCausal = false, Batch = 1 }, "bidirectional"),
        ["bidirectional, all fixed"] = (new() { IsCausal = false, Batch = 1, Length = 8 }, "bidirectional"),
        ["bidirectional keys"] = (new() { IsCausal = false, Mask = "keys" }, "bidirectional"),
        ["last"] = (new() { Positions = "last" }, "one position"),
        ["last, other name"] = (new() { Positions = "last", Logits = "out" }, "one position"),
        ["last without axis"] = (new() { Positions = "last without axis" }, "one position"),
        ["NaN"] = (new() { Damage = float.NaN }, "not numbers"),
        ["NaN, batch of one"] = (new() { Damage = float.NaN, Batch = 1 }, "not numbers"),
        ["NaN, one token"] = (new() { Damage = float.NaN, Batch = 1, Length = 1 }, "not numbers"),
        ["infinity"] = (new() { Damage = float.PositiveInfinity }, "not numbers"),
    };

    public static TheoryData<string> Alike => [.. Trained.Keys];

    public static TheoryData<string> Apart => [.. TrainedApart.Keys];

    public static TheoryData<string> Not => [.. Refused.Keys];

    /// <summary>A batch of rows of unlike lengths, one of them with labels in places only.</summary>
    private static TokenDataset Rows { get; } = new(
    [
        new([1, 5, 3, 7, 2, 11, 4, 9], [1, 5, 3, 7, 2, 11, 4, 9]),
        new([8, 2, 6], [8, 2, 6]),
        new([4, 10, 12, 1, 6], [-100, -100, 12, 1, 6]),
    ]);

    [Theory]
    [MemberData(nameof(Alike))]
    public void Of_WhenYes_TheFirstStepIsThePlainFormsStep(string dress)
    {
        var expected = FirstStep(Trained["plain"]);

        var verdict = ModelVerdict.Of(Adapted(Trained[dress]), OneThread);
        var step = FirstStep(Trained[dress]);

        Assert.Null(verdict.Reason);
        Assert.Equal(expected.Loss, step.Loss, 1e-5); // sums in another order
        Assert.Equal(expected.GradNorm, step.GradNorm, 1e-5);
    }

    [Theory]
    [MemberData(nameof(Apart))]
    public void Of_WhenYes_TheTrainerTakesAStep(string dress)
    {
        var verdict = ModelVerdict.Of(Adapted(TrainedApart[dress]), OneThread);
        var step = FirstStep(TrainedApart[dress]);

        Assert.Null(verdict.Reason);
        Assert.True(step.GradNorm > 0);
    }

    [Theory]
    [MemberData(nameof(Not))]
    public void Of_WhenNo_TheTrainerSaysTheSame(string dress)
    {
        var (decoder, word) = Refused[dress];

        var verdict = ModelVerdict.Of(Adapted(decoder), OneThread);
        var error = Assert.ThrowsAny<Exception>(() => FirstStep(decoder));

        Assert.Contains(word, verdict.Reason, StringComparison.Ordinal);
        Assert.Contains(verdict.Reason!, error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error.Message);
    }

    /// <summary>A model that is measured token by token must be causal too.</summary>
    [Fact]
    public void Evaluate_OnABidirectionalModel_SaysSo()
    {
        using var evaluator = new Evaluator(new TinyDecoder { IsCausal = false }.Build(), OneThread);

        var error = Assert.Throws<GraphException>(() => evaluator.Evaluate(Rows));

        Assert.Contains("bidirectional", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Alike))]
    public void Evaluate_InEveryDress_GivesTheLossOfThePlainForm(string dress)
    {
        using var plain = new Evaluator(Trained["plain"].Build(), OneThread);
        using var evaluator = new Evaluator(Trained[dress].Build(), OneThread);

        var result = evaluator.Evaluate(Rows, batchSize: 3);

        Assert.Equal(plain.Evaluate(Rows, batchSize: 3).Loss, result.Loss, 1e-5);
        Assert.Equal(12, result.Count);
    }

    /// <summary>A fixed length is filled up behind the text, a fixed batch with copies of it.</summary>
    [Theory]
    [MemberData(nameof(Alike))]
    public void Generate_InEveryDress_GivesTheTokensOfThePlainForm(string dress)
    {
        using var plain = Generator.Open(Trained["plain"].Build(), OneThread);
        using var generator = Generator.Open(Trained[dress].Build(), OneThread);
        var options = new GenerationOptions { MaxNewTokens = 5 };

        Assert.Null(Generator.WhyNot(Trained[dress].Build()));
        Assert.Equal(plain.Generate([1, 5, 3], options), generator.Generate([1, 5, 3], options));
    }

    [Theory]
    [InlineData("none", "changes its logits")]
    [InlineData("2", null)]
    public void Generate_OfAFixedLengthThatSeesLaterTokens_IsRefusedUnlessAMaskHidesThem(string mask, string? said)
    {
        var decoder = new TinyDecoder { IsCausal = false, Mask = mask, Length = 8 };

        var why = Generator.WhyNot(decoder.Build());

        Assert.Equal(said is null, why is null);
        Assert.Contains(said ?? "", why ?? "", StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("last")]
    [InlineData("last without axis")]
    public void Generate_OfAFixedLengthWithTheLastPlaceAlone_IsRefused(string positions) =>
        Assert.NotNull(Generator.WhyNot(new TinyDecoder { Positions = positions, Length = 8 }.Build()));

    /// <summary>What is merged answers as before, under the names that the file had.</summary>
    [Theory]
    [MemberData(nameof(Alike))]
    public void Merge_InEveryDress_KeepsNamesAndAnswers(string dress)
    {
        var model = Trained[dress].Build();
        var peft = Adapted(Trained[dress]);

        var merged = peft.Merge();

        var found = LogitsComparison.Compare(peft.Model, merged, [[1, 2, 3, 4, 5], [7, 8]], OneThread);
        Assert.Equal(0, found.Largest, 1e-5);
        Assert.Equal(
            model.Graph.Inputs.Select(static i => i.Name).Order(),
            merged.Graph.Inputs.Select(static i => i.Name).Order());
        Assert.Equal(
            model.Graph.Outputs.Select(static o => o.Name).Order(),
            merged.Graph.Outputs.Select(static o => o.Name).Order());
    }

    /// <summary>A scale of the whole run makes earlier activations depend on later tokens, which is rounding.</summary>
    [Theory]
    [InlineData(null)]
    [InlineData(1L)]
    public void Of_WhenActivationsAreRoundedDynamically_IsNotTakenForBidirectional(long? batch)
    {
        var peft = Adapted(new() { RoundsDynamically = true, Batch = batch });

        Assert.DoesNotContain("bidirectional", ModelVerdict.Of(peft, OneThread).Reason ?? "", StringComparison.Ordinal);
    }

    /// <summary>Rows that no fixed length holds are refused by their number of tokens.</summary>
    [Fact]
    public void Train_OnRowsLongerThanTheFixedLength_SaysHowLongTheyMayBe()
    {
        var error = Assert.Throws<TrainingDataException>(() => FirstStep(new() { Length = 5 }));

        Assert.Contains("SequenceLength of 5", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("hf442_g2l_static3x11_op13.onnx")]
    [InlineData("hf442_g2l_past_op17.onnx")]
    [InlineData("ortstyle_g2l_past_op11.onnx")]
    [InlineData("hf442_g2l_trainmode_op14.onnx")]
    [InlineData("hf442_g2l_withloss_op14.onnx")]
    [InlineData("nanogpt_g2l_op13.onnx")]
    public void Of_OnExportedGraphs_IsWhatTheTrainerDoes(string file)
    {
        var config = new LoraConfig { R = 2, InitLoraWeights = false };
        var model = OnnxFile.Load(Fixtures.Graph(file));
        var verdict = ModelVerdict.Of(PeftModel.Create(model, config), OneThread);

        var steps = Tiny.Run(PeftModel.Create(model, config), Tiny.Arguments with { MaxSteps = 1 });

        Assert.Null(verdict.Reason);
        Assert.True(steps[0].GradNorm > 0);
    }

    private static PeftModel Adapted(TinyDecoder decoder) => PeftModel.Create(
        decoder.Build(), new LoraConfig { R = 2, InitLoraWeights = false, TargetModules = ["q_proj", "o_proj", "up"] });

    private static StepMetrics FirstStep(TinyDecoder decoder)
    {
        var arguments = Tiny.Arguments with { BatchSize = 3, MaxSteps = 1, Runtime = OneThread };
        return Tiny.Run(Adapted(decoder), arguments, Rows)[0];
    }
}
