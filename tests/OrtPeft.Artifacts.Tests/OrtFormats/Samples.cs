using System.Globalization;
using System.Text;
using FsCheck;
using FsCheck.Fluent;
using OrtPeft.Artifacts.OrtFormats;
using OrtPeft.Tensors;
using OrtPeft.Tensors.Storage;

namespace OrtPeft.Artifacts.Tests.OrtFormats;

/// <summary>Checkpoints and tensors of every kind, and what they hold as text to compare.</summary>
internal static class Samples
{
    private static readonly CultureInfo Invariant = CultureInfo.InvariantCulture;

    private static readonly string[] Names = ["h.0.lora_A.weight", "層", "🙂 a/b", "\n\"", new string('x', 300), "w"];

    private static readonly ElementType[] CheckpointTypes =
    [
        ElementType.Float, ElementType.Double, ElementType.Bool, ElementType.Int8, ElementType.UInt8,
        ElementType.Int16, ElementType.UInt16, ElementType.Int32, ElementType.UInt32, ElementType.Int64,
        ElementType.UInt64,
    ];

    private static readonly ElementType[] AdapterTypes =
    [
        .. CheckpointTypes.Where(static t => t != ElementType.Bool), ElementType.Float16, ElementType.BFloat16,
        ElementType.Float8E4M3FN, ElementType.Float8E4M3FNUZ, ElementType.Float8E5M2, ElementType.Float8E5M2FNUZ,
    ];

    public static Gen<OrtCheckpoint> Checkpoints { get; } =
        from trainable in Tensors(CheckpointTypes, "t")
        from frozen in Tensors(CheckpointTypes, "f")
        from groups in Group.ListOf().Resize(3)
        from properties in Properties
        from isNominal in Gen.Elements(false, false, true)
        select new OrtCheckpoint
        {
            Trainable = trainable,
            Frozen = frozen,
            OptimizerGroups = [.. groups.Index().Select(static g => Named(g.Item, $"{g.Item.Name}{g.Index}"))],
            Properties = properties,
            IsNominal = isNominal,
        };

    public static Gen<OrtAdapterFile> Adapters { get; } =
        from parameters in Tensors(AdapterTypes, "p", leastAxes: 1)
        from versions in Gen.Two(Gen.Elements(0, 1, -1, int.MaxValue, int.MinValue))
        select new OrtAdapterFile
        {
            Parameters = parameters,
            AdapterVersion = versions.Item1,
            ModelVersion = versions.Item2,
        };

    private static Gen<OrtOptimizerGroup> Group =>
        from name in Gen.Elements(Names)
        from step in Gen.Elements(0L, 1, 300, long.MaxValue, -1)
        from rate in Gen.Elements(0f, 1e-3f, -0f, float.NaN, float.Epsilon)
        from states in Tensors([ElementType.Float], "m").ListOf().Resize(3)
        select new OrtOptimizerGroup
        {
            Name = name,
            Step = step,
            InitialLearningRate = rate,
            States = [.. states.Index().Select(static s =>
                new OrtParameterState { ParameterName = $"p{s.Index}", Momentums = s.Item })],
        };

    private static Gen<OrtProperties> Properties =>
        from integers in Gen.Elements(0L, 7, long.MinValue).ListOf().Resize(3)
        from floats in Gen.Elements(0f, 2.5f, float.NegativeInfinity).ListOf().Resize(3)
        from strings in Gen.Elements("", "épreuve", "a\0b").ListOf().Resize(3)
        select new OrtProperties
        {
            Integers = integers.Index().ToDictionary(static p => $"i{p.Index}", static p => p.Item),
            Floats = floats.Index().ToDictionary(static p => $"f{p.Index}", static p => p.Item),
            Strings = strings.Index().ToDictionary(static p => $"s{p.Index}", static p => p.Item),
        };

    /// <summary>A small checkpoint that uses every field.</summary>
    public static OrtCheckpoint Full(bool isNominal = false) => new()
    {
        Trainable = [Floats("lora_A.weight", 2, 3), Floats("lora_B.weight", 3, 2)],
        Frozen = [Tensor.Scalar(5L).WithName("scalar"), Floats("base", 0, 4)],
        OptimizerGroups =
        [
            new()
            {
                Step = 3,
                States =
                [
                    State("lora_A.weight", 2, 3),
                    State("lora_B.weight", 3, 2),
                ],
            },
        ],
        Properties = new()
        {
            Integers = new Dictionary<string, long> { ["epoch"] = 2 },
            Floats = new Dictionary<string, float> { ["loss"] = 0.5f },
            Strings = new Dictionary<string, string> { ["who"] = "device" },
        },
        IsNominal = isNominal,
    };

    public static OrtParameterState State(string name, params long[] dims) => new()
    {
        ParameterName = name,
        Momentums = [Floats("momentum0", dims), Floats("momentum1", dims)],
    };

    public static Tensor Floats(string name, params long[] dims)
    {
        var count = (int)dims.Aggregate(1L, static (product, dim) => product * dim);
        float[] values = [.. Enumerable.Range(1, count).Select(static i => i / 8f)];
        return Tensor.Of<float>(values, dims).WithName(name);
    }

    /// <summary>Everything that a checkpoint says, as text.</summary>
    public static string Text(OrtCheckpoint checkpoint)
    {
        var text = new StringBuilder($"nominal {checkpoint.IsNominal}\n");
        text.AppendLine("trainable").Append(Text(checkpoint.Trainable, !checkpoint.IsNominal));
        text.AppendLine("frozen").Append(Text(checkpoint.Frozen, !checkpoint.IsNominal));
        foreach (var group in checkpoint.OptimizerGroups)
        {
            var rate = BitConverter.SingleToUInt32Bits(group.InitialLearningRate);
            text.AppendLine(Invariant, $"group '{group.Name}' {group.Step} {rate:x8}");
            foreach (var state in group.States)
                text.AppendLine(Invariant, $"state '{state.ParameterName}'").Append(Text(state.Momentums));
        }

        var properties = checkpoint.Properties;
        text.AppendJoin('\n', properties.Integers.Select(static p => $"{p.Key} = int {p.Value}"));
        text.AppendJoin('\n', properties.Floats.Select(static p => $"{p.Key} = float {p.Value:r}"));
        text.AppendJoin('\n', properties.Strings.Select(static p => $"{p.Key} = text {p.Value}"));
        return text.ToString();
    }

    /// <summary>Everything about tensors, as text; without values where they have none.</summary>
    public static string Text(IEnumerable<Tensor> tensors, bool withValues = true) =>
        string.Concat(tensors.Select(tensor => $"{tensor} {(withValues ? Values(tensor) : "")}\n"));

    private static string Values(Tensor tensor) =>
        Convert.ToHexString(tensor.Data.Slice(0, (int)tensor.Data.Length));

    private static OrtOptimizerGroup Named(OrtOptimizerGroup group, string name) => new()
    {
        Name = name,
        Step = group.Step,
        InitialLearningRate = group.InitialLearningRate,
        States = group.States,
    };

    private static Gen<List<Tensor>> Tensors(ElementType[] types, string suffix, int leastAxes = 0) =>
        from parts in TensorOf(types, leastAxes).ListOf().Resize(5)
        select parts.Index().Select(p => p.Item.WithName($"{p.Item.Name}{suffix}{p.Index}")).ToList();

    private static Gen<Tensor> TensorOf(ElementType[] types, int leastAxes) =>
        from name in Gen.Elements(Names)
        from type in Gen.Elements(types)
        from axes in Gen.Choose(leastAxes, 4)
        from dims in Gen.Choose(0, 5).ListOf(axes)
        from first in Gen.Choose(0, 255)
        let count = dims.Aggregate(1L, static (product, dim) => product * dim)
        let bytes = Enumerable.Range(first, (int)type.ByteCount(count)).Select(static i => (byte)i).ToArray()
        select new Tensor(type, [.. dims.Select(static d => (long)d)], new MemoryTensorData(bytes), name);
}
