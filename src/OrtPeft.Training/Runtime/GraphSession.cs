using Microsoft.ML.OnnxRuntime;
using OrtPeft.Artifacts;

namespace OrtPeft.Training.Runtime;

/// <summary>An open model and what goes in and out of it.</summary>
internal sealed class GraphSession : IDisposable
{
    private readonly IDisposable _owner;

    /// <summary>Takes a session over.</summary>
    /// <param name="session">The session.</param>
    /// <param name="contract">Inputs and outputs with their roles.</param>
    /// <param name="owner">What to dispose when the session is no longer needed.</param>
    public GraphSession(InferenceSession session, ArtifactGraph contract, IDisposable owner) =>
        (Session, Contract, _owner) = (session, contract, owner);

    public InferenceSession Session { get; }

    public ArtifactGraph Contract { get; }

    /// <summary>The name of the output of a role.</summary>
    /// <exception cref="OrtPeft.Onnx.OnnxFormatException">There is none.</exception>
    public string OutputOf(string role) => (Contract.Output(role) ?? throw Missing("output", role)).Name;

    /// <summary>The name of the input of a role.</summary>
    /// <exception cref="OrtPeft.Onnx.OnnxFormatException">There is none.</exception>
    public string InputOf(string role) => (Contract.Input(role) ?? throw Missing("input", role)).Name;

    public void Dispose() => _owner.Dispose();

    private Onnx.OnnxFormatException Missing(string what, string role) =>
        new($"{ArtifactManifest.FileName}: {Contract.File} has no {what} '{role}'; write the artifacts again.");
}
