using System.CommandLine;
using OrtPeft.Models;
using OrtPeft.Tensors.Safetensors;

namespace OrtPeft.Cli.Options;

/// <summary>The model that a verb works on.</summary>
internal sealed class ModelArgument : Argument<string>
{
    public ModelArgument()
        : base("model") =>
        Description = $"An .onnx file, a folder with {ModelSource.ModelFileName}, or an HF folder "
            + $"({ModelFamilies.ConfigFileName} and {SafetensorsCheckpoint.FileName}).";

    /// <summary>Options that name the graph's parts where it does not tell.</summary>
    public GraphNameOptions Names { get; } = new();

    /// <summary>Opens the model; weights stay in their files.</summary>
    public ModelSource Open(Invocation run)
    {
        var source = ModelSource.Open(run.Get(this), run.Note);
        Names.ApplyTo(source.Model, run);
        return source;
    }
}
