namespace OrtPeft.Artifacts.OrtFormats;

/// <summary>The slots of a checkpoint's tables, in the order of <c>ort_training_checkpoint.fbs</c>.</summary>
internal static class OrtCheckpointSlots
{
    public const int Version = 0;
    public const int ModuleState = 1;
    public const int OptimizerGroups = 2;
    public const int PropertyBag = 3;

    public const int Trainable = 0;
    public const int Frozen = 1;
    public const int IsNominal = 2;
    public const int HasExternalData = 3;

    public const int GroupName = 0;
    public const int GroupStep = 1;
    public const int GroupLearningRate = 2;
    public const int GroupStates = 3;

    public const int StateParameter = 0;
    public const int StateMomentums = 1;

    public const int Integers = 0;
    public const int Floats = 1;
    public const int Strings = 2;
    public const int PropertyName = 0;
    public const int PropertyValue = 1;

    public const int ExternalOffset = 6;
}
