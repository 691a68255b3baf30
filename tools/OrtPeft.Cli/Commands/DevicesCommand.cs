using System.Text.Json.Nodes;
using Microsoft.ML.OnnxRuntime;
using OrtPeft.Runtime.Sessions;

namespace OrtPeft.Cli.Commands;

/// <summary>Lists the execution providers.</summary>
internal sealed class DevicesCommand : Verb
{
    [System.Diagnostics.CodeAnalysis.SetsRequiredMembers]
    public DevicesCommand(Host host)
        : base(host, "devices", "List the execution providers, and which of them this machine has.")
    {
        Examples = ["ortpeft devices", "ortpeft train gpt2-onnx --data train.jsonl --out adapter --provider cuda"];
        Notes = "Operators that a provider lacks run on the CPU. Everything is tested on the CPU, and training on WebGPU with a software "
            + "device; scripts/device-check.sh in a clone checks a provider on your machine.";
    }

    protected override void Run(Invocation run)
    {
        var rows = ExecutionProvider.All.Select(static p => (Provider: p, WhyNot: p.WhyNot())).ToArray();
        run.Say($"ONNX Runtime {OrtEnv.Instance().GetVersionString()}, {Environment.ProcessorCount} processors");
        var width = rows.Max(static r => r.Provider.Name.Length);
        foreach (var (provider, whyNot) in rows)
            run.Say($"{provider.Name.PadRight(width)}  {(whyNot is null ? "yes" : $"no: {whyNot}")}");
        run.Answer(new()
        {
            ["onnxruntime"] = OrtEnv.Instance().GetVersionString(),
            ["providers"] = new JsonArray([.. rows.Select(static r => (JsonNode)new JsonObject
            {
                ["name"] = r.Provider.Name,
                ["ort_name"] = r.Provider.OrtName,
                ["in_build"] = r.Provider.IsInBuild,
                ["usable"] = r.WhyNot is null,
                ["why_not"] = r.WhyNot,
            })]),
        });
    }
}
