using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using Microsoft.ML.OnnxRuntime;
using OrtPeft.Artifacts;
using OrtPeft.Artifacts.OrtFormats;
using OrtPeft.Runtime.Sessions;
using OrtPeft.Tensors;
using OrtPeft.Tensors.Safetensors;
using OrtPeft.Tensors.Storage;
using OrtPeft.Training.Checkpoints;
using OrtPeft.Training.Data;

namespace OrtPeft.Training.Runtime;

/// <summary>
/// Trains with ONNX Runtime's own training session, which builds up to 1.19.2 have. It averages each batch's loss
/// itself and adds up gradients: several batches to a step count alike, whatever their tokens, and clipping sees
/// the sum.
/// </summary>
/// <seealso href="https://onnxruntime.ai/docs/api/csharp/api/Microsoft.ML.OnnxRuntime.TrainingSession.html"/>
internal sealed class OrtTrainingRuntime : ITrainingRuntime
{
    /// <summary>The file of a run's state in its output folder.</summary>
    public const string StateFile = "checkpoint.ort";

    /// <summary>Large states have their bytes in a file of their own.</summary>
    public const string StateDataFile = $"{StateFile}{OrtCheckpoint.ExternalDataSuffix}";

    /// <summary>The weights that were best, where there is evaluation data.</summary>
    public const string BestFile = "checkpoint.best.safetensors";

    private const string RunProperty = "ortpeft.run";

    private readonly string _folder;
    private readonly ArtifactManifest _manifest;
    private readonly ArtifactValue[] _inputs;
    private readonly FixedAxes _axes;
    private readonly SessionOptions _options = new();
    private CheckpointState _state;
    private TrainingSession _session;

    public OrtTrainingRuntime(string folder, ArtifactManifest manifest, TrainingArguments arguments)
    {
        (_folder, _manifest) = (Path.GetFullPath(folder), manifest);
        _inputs = [.. manifest.Training.Inputs.Where(static v => v.Role == ValueRoles.Data)];
        try
        {
            _axes = FixedAxes.Of(_inputs);
            if (arguments.Runtime.Threads > 0)
                _options.IntraOpNumThreads = arguments.Runtime.Threads;
            var checkpoint = manifest.Files.Checkpoint ?? throw new OnnxFormatException(
                $"{InFolder(ArtifactManifest.FileName)}: files.checkpoint is missing; write the artifacts again.");
            _state = OpenState(InFolder(checkpoint));
            _session = OpenSession(_state);
        }
        catch
        {
            _state?.Dispose();
            _options.Dispose();
            throw;
        }
    }

    /// <summary>The loss in the models is each batch's own mean.</summary>
    public bool RunsBatchesInParts => false;

    public StepResult Step(int step, double learningRate, IReadOnlyList<Batch> batches)
    {
        var (sum, total) = (0.0, 0L);
        _session.LazyResetGrad();
        foreach (var batch in batches)
        {
            using var feeds = new Feeds(_inputs, Whole(batch));
            using var results = Run(() => _session.TrainStep([.. feeds.Values.Select(static v => v.Value)]));
            var count = batch.CountFor(_manifest.VirtualTokens);
            (sum, total) = (sum + (LossOf(results) * count), total + count);
        }

        var loss = sum / total;
        if (!double.IsFinite(loss))
            return new StepResult(loss, null);
        // Set for every step: a checkpoint does not keep it, and the optimiser's model may multiply it.
        _session.SetLearningRate((float)(learningRate / (_manifest.FoldLr?.Factor ?? 1)));
        _session.OptimizerStep();
        return new StepResult(loss, null);
    }

    public (double Sum, long Count) Evaluate(Batch batch)
    {
        var (sum, total) = (0.0, 0L);
        foreach (var part in _axes.Split(batch, _manifest.VirtualTokens))
        {
            using var feeds = new Feeds(_inputs, part);
            using var results = Run(() => _session.EvalStep([.. feeds.Values.Select(static v => v.Value)]));
            var count = part.CountFor(_manifest.VirtualTokens);
            (sum, total) = (sum + (LossOf(results) * count), total + count);
        }

        return (sum, total);
    }

    /// <summary>The batch as the model takes it; each part would have a mean of its own.</summary>
    private Batch Whole(Batch batch) => _axes.Split(batch, _manifest.VirtualTokens) is [var whole]
        ? whole
        : throw new TrainingRuntimeException(
            $"The artifacts' model takes {_axes.Rows} rows at a time, and the mean of a larger batch cannot be made of "
            + $"its parts; set BatchSize to {_axes.Rows}, or write the artifacts for the runtime "
            + $"{ArtifactRuntimes.Ort}.");

    public (double Sum, long Count) CountRight(Batch batch) => throw OrtGraphs.NoAccuracy;

    /// <inheritdoc/>
    /// <remarks>It is one process: artifacts for it are refused otherwise.</remarks>
    public void Share()
    {
    }

    public IReadOnlyDictionary<string, Tensor> GetWeights() => _manifest.Parameters.ToDictionary(
        static p => p.Name,
        p =>
        {
            using var value = _state.GetParameter(p.Input);
            return Tensor.Of(value.GetTensorDataAsSpan<float>(), [.. p.Dims]);
        },
        StringComparer.Ordinal);

    public string Save(string folder, CheckpointInfo info, IReadOnlyDictionary<string, Tensor>? best)
    {
        using var stage = new StagedFolder(folder);
        var run = JsonSerializer.Serialize(info.ToMetadata(), RunJson.Default.DictionaryStringString);
        _state.AddProperty(RunProperty, run);
        CheckpointState.SaveCheckpoint(_state, Path.Combine(stage.Path, StateFile), includeOptimizerState: true);
        if (best is not null)
            SafetensorsFile.Save(Path.Combine(stage.Path, BestFile), TrainingCheckpoint.Named(best, prefix: ""));
        stage.Commit(StateDataFile, BestFile);
        return Path.Combine(Path.GetFullPath(folder), StateFile);
    }

    [SuppressMessage("Reliability", "CA2000", Justification = "State and session become the runtime's.")]
    public (string Path, CheckpointInfo Info, IReadOnlyDictionary<string, Tensor>? Best) Load(
        string folder, CheckpointInfo expected)
    {
        var path = Path.Combine(Path.GetFullPath(folder), StateFile);
        TrainingCheckpoint.MustExist(path);
        var state = OpenState(path);
        try
        {
            var info = CheckpointInfo.FromMetadata(RunOf(state), path);
            info.MustMatch(expected, path);
            var session = OpenSession(state);
            _session.Dispose();
            _state.Dispose();
            (_state, _session) = (state, session);
            var best = Path.Combine(Path.GetFullPath(folder), BestFile);
            return (path, info, File.Exists(best)
                ? TrainingCheckpoint.BestIn(SafetensorsFile.Open(best), best, prefix: "", GetWeights())
                : null);
        }
        catch
        {
            state.Dispose();
            throw;
        }
    }

    public void Dispose()
    {
        _session.Dispose();
        _state.Dispose();
        _options.Dispose();
    }

    /// <summary>The loss comes first; of a batch without anything to learn it would not be a number.</summary>
    private static double LossOf(IReadOnlyList<OrtValue> results) => results[0].GetTensorDataAsSpan<float>()[0];

    private static Dictionary<string, string> RunOf(CheckpointState state)
    {
        try
        {
            var run = (string)state.GetProperty(RunProperty);
            return JsonSerializer.Deserialize(run, RunJson.Default.DictionaryStringString) ?? [];
        }
        catch (Exception e) when (e is OnnxRuntimeException or JsonException or InvalidCastException)
        {
            return [];
        }
    }

    private static CheckpointState OpenState(string path)
    {
        InputFile.Check(path);
        try
        {
            return CheckpointState.LoadCheckpoint(path);
        }
        catch (Exception e) when (TrainingBuild.IsMissing(e))
        {
            throw TrainingBuild.Missing(e);
        }
        catch (OnnxRuntimeException e)
        {
            throw new OnnxFormatException(
                $"{path}: no checkpoint: {RefusedGraph.Reason(e)}; write the artifacts again.", e);
        }
    }

    private TrainingSession OpenSession(CheckpointState state)
    {
        try
        {
            return new TrainingSession(
                _options,
                state,
                InFolder(_manifest.Training.File),
                _manifest.Evaluation is { } evaluation ? InFolder(evaluation.File) : null,
                InFolder(_manifest.Optimizer.File));
        }
        catch (OnnxRuntimeException e)
        {
            throw new OnnxFormatException(
                $"{_folder}: ONNX Runtime refuses the models: {RefusedGraph.Reason(e)}; write the artifacts again.", e);
        }
    }

    private IDisposableReadOnlyCollection<OrtValue> Run(Func<IDisposableReadOnlyCollection<OrtValue>> run)
    {
        try
        {
            return run();
        }
        catch (OnnxRuntimeException e)
        {
            throw SessionException.Of(_folder, e);
        }
    }

    private string InFolder(string file) => Path.Combine(_folder, file);
}
