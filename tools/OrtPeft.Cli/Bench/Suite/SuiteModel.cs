namespace OrtPeft.Cli.Bench.Suite;

/// <summary>A model of the suite: random weights of a preset's sizes, as float32 or quantized.</summary>
/// <param name="Preset">The name that <c>init</c> knows it by.</param>
/// <param name="Format">The format that <c>quantize</c> gives it; null for float32.</param>
internal sealed record SuiteModel(string Preset, string? Format = null)
{
    /// <summary>Its folder in the suite's.</summary>
    public string Folder => Format is null ? Preset : $"{Preset}-{Format}";

    /// <summary>Makes the folder where it is missing; each verb writes all of its folder or nothing.</summary>
    /// <param name="place">The suite's folder.</param>
    /// <param name="run">Runs a verb.</param>
    public void Make(string place, Action<string[]> run)
    {
        var folder = Path.Combine(place, Folder);
        if (Directory.Exists(folder))
            return;
        if (Format is not null)
        {
            var source = this with { Format = null };
            source.Make(place, run);
            run(["quantize", Path.Combine(place, source.Folder), "--format", Format, "--out", folder]);
            return;
        }

        var weights = Path.Combine(place, $"{Preset}-hf");
        run(["init", "--preset", Preset, "--out", weights, "--overwrite"]);
        run(["import", weights, "--out", folder]);
        Directory.Delete(weights, recursive: true);
    }
}
