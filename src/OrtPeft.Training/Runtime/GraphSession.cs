using Microsoft.ML.OnnxRuntime;
using OrtPeft.Artifacts;
using OrtPeft.Runtime.Sessions;
using OrtPeft.Tensors;

namespace OrtPeft.Training.Runtime;

/// <summary>An open model and what goes in and out of it.</summary>
internal sealed class GraphSession : IDisposable
{
    private readonly IDisposable _owner;
    private readonly string _name;

    /// <summary>Takes a session over.</summary>
    /// <param name="session">The session.</param>
    /// <param name="contract">Inputs and outputs with their roles.</param>
    /// <param name="options">How it was opened.</param>
    /// <param name="owner">What to dispose when the session is no longer needed.</param>
    /// <param name="name">What messages call the model: its file, or its graph.</param>
    public GraphSession(
        InferenceSession session, ArtifactGraph contract, RuntimeOptions options, IDisposable owner, string name)
    {
        (Session, Contract, _owner, _name) = (session, contract, owner, name);
        ReadsHostMemory = options.ReadsHostMemory;
    }

    public InferenceSession Session { get; }

    public ArtifactGraph Contract { get; }

    /// <summary>See <see cref="ExecutionProvider.ReadsHostMemory"/>.</summary>
    public bool ReadsHostMemory { get; }

    /// <summary>The name of the output of a role.</summary>
    /// <exception cref="OnnxFormatException">There is none.</exception>
    public string OutputOf(string role) => (Contract.Output(role) ?? throw Missing("output", role)).Name;

    /// <summary>The name of the input of a role.</summary>
    /// <exception cref="OnnxFormatException">There is none.</exception>
    public string InputOf(string role) => (Contract.Input(role) ?? throw Missing("input", role)).Name;

    /// <summary>Gives an input or output of the session its memory.</summary>
    /// <exception cref="OnnxFormatException">The model has none of the name, or it is of another type.</exception>
    public void Bind(Action bind)
    {
        try
        {
            bind();
        }
        catch (OnnxRuntimeException e)
        {
            throw new OnnxFormatException(
                $"{_name} does not have what its description says: {RefusedGraph.Reason(e)}; write it again.", e);
        }
    }

    /// <summary>Runs the session.</summary>
    /// <exception cref="SessionException">ONNX Runtime failed.</exception>
    public void Run(Action run)
    {
        try
        {
            run();
        }
        catch (OnnxRuntimeException e)
        {
            throw SessionException.Of(_name, e);
        }
    }

    public void Dispose() => _owner.Dispose();

    private OnnxFormatException Missing(string what, string role) =>
        new($"{ArtifactManifest.FileName}: {Contract.File} has no {what} '{role}'; write the artifacts again.");
}
