using OrtPeft.Artifacts.FlatBuffers;
using OrtPeft.Tensors;
using OrtPeft.Tensors.Storage;

using Slots = OrtPeft.Artifacts.OrtFormats.OrtCheckpointSlots;

namespace OrtPeft.Artifacts.OrtFormats;

/// <summary>Reads a checkpoint's tables, and refuses what ONNX Runtime would refuse.</summary>
internal sealed class OrtCheckpointReader
{
    private readonly Lazy<MappedFile> _external;

    private OrtCheckpointReader(Func<MappedFile> external) =>
        _external = new Lazy<MappedFile>(external, LazyThreadSafetyMode.None);

    /// <summary>Reads everything but the elements.</summary>
    /// <param name="buffer">The checkpoint's bytes.</param>
    /// <param name="external">Opens the external data; called only where the checkpoint has some.</param>
    /// <exception cref="OnnxFormatException">The checkpoint is not what it claims to be.</exception>
    public static OrtCheckpoint Read(FlatBufferReader buffer, Func<MappedFile> external) =>
        new OrtCheckpointReader(external).Read(buffer.Root(OrtCheckpointFile.Identifier, "checkpoint"));

    private OrtCheckpoint Read(FlatTableReader root)
    {
        if (root.Int32(Slots.Version, "version") is var version and not OrtCheckpointFile.Version)
            throw root.Broken("version", $"is {version}, and only {OrtCheckpointFile.Version} can be read");
        var module = root.Table(Slots.ModuleState, "module_state") ?? throw root.Broken("module_state", "is missing");
        var isNominal = module.Boolean(Slots.IsNominal, "is_nominal_state");
        if (module.Boolean(Slots.HasExternalData, "has_external_data"))
            _ = _external.Value;
        var names = new HashSet<string>(StringComparer.Ordinal);
        return new OrtCheckpoint
        {
            Trainable = Parameters(module, Slots.Trainable, "requires_grad_params", isNominal, names),
            Frozen = Parameters(module, Slots.Frozen, "frozen_params", isNominal, names),
            OptimizerGroups = Groups(root),
            Properties = root.Table(Slots.PropertyBag, "property_bag") is { } bag ? Properties(bag) : new(),
            IsNominal = isNominal,
        };
    }

    private List<Tensor> Parameters(
        FlatTableReader module, int slot, string field, bool isNominal, HashSet<string> names)
    {
        var tables = module.Tables(slot, field) ?? throw module.Broken(field, "is missing");
        return [.. tables.Select(table => Once(table, names, isNominal ? Nominal(table) : Tensor(table)))];
    }

    private List<OrtOptimizerGroup> Groups(FlatTableReader root)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        var tables = root.Tables(Slots.OptimizerGroups, "optimizer_groups") ?? [];
        return [.. tables.Select(table => new OrtOptimizerGroup
        {
            Name = Once(table, names, table.Text(Slots.GroupName, "group_name")),
            Step = table.Int64(Slots.GroupStep, "step"),
            InitialLearningRate = table.Single(Slots.GroupLearningRate, "initial_learning_rate"),
            States = States(table),
        })];
    }

    private List<OrtParameterState> States(FlatTableReader group)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        var tables = group.Tables(Slots.GroupStates, "optimizer_states") ?? [];
        return [.. tables.Select(table => new OrtParameterState
        {
            ParameterName = Once(table, names, table.Text(Slots.StateParameter, "param_name")),
            Momentums = Momentums(table),
        })];
    }

    private List<Tensor> Momentums(FlatTableReader state)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        var tables = state.Tables(Slots.StateMomentums, "momentums") ?? [];
        return [.. tables.Select(table => Once(table, names, Tensor(table)))];
    }

    private static OrtProperties Properties(FlatTableReader bag)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        Dictionary<string, T> Of<T>(int slot, string field, Func<FlatTableReader, T> value) =>
            (bag.Tables(slot, field) ?? []).ToDictionary(
                table => Once(table, names, table.Text(Slots.PropertyName, "name")), value, StringComparer.Ordinal);
        return new OrtProperties
        {
            Integers = Of(Slots.Integers, "ints", static table => table.Int64(Slots.PropertyValue, "value")),
            Floats = Of(Slots.Floats, "floats", static table => table.Single(Slots.PropertyValue, "value")),
            Strings = Of(Slots.Strings, "strings", static table => table.Text(Slots.PropertyValue, "value") ?? ""),
        };
    }

    private static Tensor Nominal(FlatTableReader table) => TensorTables.Read(
        table, TensorSlots.OfCheckpoint, OrtCheckpointRules.WhyNot, static length => new AbsentTensorData(length));

    private Tensor Tensor(FlatTableReader table) => TensorTables.Read(
        table, TensorSlots.OfCheckpoint, OrtCheckpointRules.WhyNot, length => Data(table, length));

    private TensorData Data(FlatTableReader table, long length)
    {
        var offset = table.Int64(Slots.ExternalOffset, "external_data_offset", absent: -1);
        if (offset < 0)
            return TensorTables.RawData(table, TensorSlots.OfCheckpoint, length);
        var file = _external.Value;
        if (length > file.Length || offset > file.Length - length)
        {
            throw table.Broken(
                "external_data_offset", $"is {offset} for {length} bytes, and {file.Path} has {file.Length}");
        }

        return file.Slice(offset, length);
    }

    private static Tensor Once(FlatTableReader table, HashSet<string> names, Tensor tensor)
    {
        _ = Once(table, names, tensor.Name);
        return tensor;
    }

    private static string Once(FlatTableReader table, HashSet<string> names, string? name)
    {
        if (string.IsNullOrEmpty(name))
            throw table.Broken("name", "is missing");
        return names.Add(name) ? name : throw table.Broken("name", $"is '{name}', which stands here a second time");
    }
}
