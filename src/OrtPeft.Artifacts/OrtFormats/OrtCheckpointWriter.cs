using OrtPeft.Artifacts.FlatBuffers;
using OrtPeft.Tensors;
using OrtPeft.Tensors.Storage;

using Slots = OrtPeft.Artifacts.OrtFormats.OrtCheckpointSlots;

namespace OrtPeft.Artifacts.OrtFormats;

/// <summary>Lays a checkpoint out as tables and writes them.</summary>
internal static class OrtCheckpointWriter
{
    public static void Write(OrtCheckpoint checkpoint, string path, long externalDataFrom)
    {
        var external = IsExternal(checkpoint, externalDataFrom) ? new ExternalData() : null;
        var root = Root(checkpoint, external);
        if (external is null)
        {
            WriteTables(root, path, path);
            return;
        }

        using var stage = new StagedFolder(Path.GetDirectoryName(Path.GetFullPath(path))!);
        var staged = Path.Combine(stage.Path, Path.GetFileName(path));
        WriteTables(root, staged, path);
        using (var data = new AtomicFile(staged + OrtCheckpoint.ExternalDataSuffix))
        {
            external.WriteTo(data.Stream);
            data.Commit();
        }

        stage.Commit();
    }

    private static void WriteTables(FlatTable root, string file, string name)
    {
        using var tables = new AtomicFile(file);
        const string Remedy = "save it without the optimizer's state";
        FlatBufferWriter.Write(tables.Stream, root, OrtCheckpointFile.Identifier, name, Remedy);
        tables.Commit();
    }

    private static bool IsExternal(OrtCheckpoint checkpoint, long from)
    {
        var momentums = checkpoint.OptimizerGroups.SelectMany(static g => g.States).SelectMany(static s => s.Momentums);
        var parameters = checkpoint.Trainable.Concat(checkpoint.Frozen).ToArray();
        return !checkpoint.IsNominal
            && parameters.Any(static t => t.Data.Length >= OrtCheckpointFile.SmallestExternal)
            && parameters.Concat(momentums).Sum(static t => t.Data.Length) >= from;
    }

    private static FlatTable Root(OrtCheckpoint checkpoint, ExternalData? external) => new FlatTable()
        .Int32(Slots.Version, OrtCheckpointFile.Version)
        .Reference(Slots.ModuleState, ModuleState(checkpoint, external))
        .Reference(Slots.OptimizerGroups, Tables(checkpoint.OptimizerGroups, Group))
        .Reference(Slots.PropertyBag, Properties(checkpoint.Properties));

    /// <summary>Both vectors are there even when they are empty: ONNX Runtime asks for them.</summary>
    private static FlatTable ModuleState(OrtCheckpoint checkpoint, ExternalData? external)
    {
        FlatVector Parameters(IEnumerable<Tensor> tensors) =>
            new([.. tensors.Select(tensor => Parameter(tensor, checkpoint.IsNominal, external))]);
        return new FlatTable()
            .Reference(Slots.Trainable, Parameters(checkpoint.Trainable))
            .Reference(Slots.Frozen, Parameters(checkpoint.Frozen))
            .Boolean(Slots.IsNominal, checkpoint.IsNominal)
            .Boolean(Slots.HasExternalData, external is not null);
    }

    private static FlatTable Parameter(Tensor tensor, bool isNominal, ExternalData? external)
    {
        if (isNominal)
            return TensorTables.Write(tensor, TensorSlots.OfCheckpoint, new MemoryTensorData(default));
        if (external is null || tensor.Data.Length < OrtCheckpointFile.SmallestExternal)
            return TensorTables.Write(tensor, TensorSlots.OfCheckpoint, tensor.Data);
        return TensorTables.Write(tensor, TensorSlots.OfCheckpoint, data: null)
            .Int64(Slots.ExternalOffset, external.Add(tensor), absent: -1);
    }

    private static FlatTable Group(OrtOptimizerGroup group) => new FlatTable()
        .Text(Slots.GroupName, group.Name)
        .Int64(Slots.GroupStep, group.Step)
        .Single(Slots.GroupLearningRate, group.InitialLearningRate)
        .Reference(Slots.GroupStates, new FlatVector([.. group.States.Select(State)]));

    private static FlatTable State(OrtParameterState state) => new FlatTable()
        .Text(Slots.StateParameter, state.ParameterName)
        .Reference(Slots.StateMomentums, new FlatVector([.. state.Momentums.Select(static tensor =>
            TensorTables.Write(tensor, TensorSlots.OfCheckpoint, tensor.Data))]));

    private static FlatTable? Properties(OrtProperties properties)
    {
        if (!properties.Names.Any())
            return null;
        static FlatTable Named(string name) => new FlatTable().Text(Slots.PropertyName, name);
        return new FlatTable()
            .Reference(Slots.Integers, Tables(properties.Integers, static property =>
                Named(property.Key).Int64(Slots.PropertyValue, property.Value)))
            .Reference(Slots.Floats, Tables(properties.Floats, static property =>
                Named(property.Key).Single(Slots.PropertyValue, property.Value)))
            .Reference(Slots.Strings, Tables(properties.Strings, static property =>
                Named(property.Key).Text(Slots.PropertyValue, property.Value)));
    }

    private static FlatVector? Tables<T>(IReadOnlyCollection<T> items, Func<T, FlatTable> table) =>
        items.Count == 0 ? null : new FlatVector([.. items.Select(table)]);
}
