using System.Text.Json;
using System.Text.Json.Nodes;
using OrtPeft.Testing;

namespace OrtPeft.OnDevice.Tests.Engine;

/// <summary>
/// All jobs of the tests of this assembly in one process, for the engine takes long to start; tests look up what it
/// answered.
/// </summary>
public sealed class EngineRun
{
    private readonly Dictionary<string, string> _notWritten = new(StringComparer.Ordinal);
    private readonly JsonElement _results;

    public EngineRun()
    {
        if (TrainingEngine.WhyNot is not null)
            return;
        using var scratch = new TemporaryFolder();
        var jobs = new JsonArray();
        foreach (var (index, job) in Jobs.All.Index())
        {
            try
            {
                jobs.Add((JsonNode)job.Write(scratch[$"set{index}"]));
            }
            catch (Exception e) when (e is not OutOfMemoryException)
            {
                _notWritten[job.Name] = e.ToString();
            }
        }

        _results = TrainingEngine.Run(jobs.ToJsonString(), scratch.Path);
    }

    internal EngineResult this[string job]
    {
        get
        {
            Assert.True(!_notWritten.TryGetValue(job, out var problem), problem);
            var result = _results.GetProperty(job);
            Assert.True(!result.TryGetProperty("error", out var error), $"{job}: {error}");
            return new EngineResult(result);
        }
    }
}
