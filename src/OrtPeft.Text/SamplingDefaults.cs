using OrtPeft.Inference.Generation;
using OrtPeft.Models;

namespace OrtPeft.Text;

/// <summary>Sampling options from a model's files.</summary>
public static class SamplingDefaults
{
    /// <summary>
    /// Takes from the model's settings what the options leave out. Limits count only where tokens are drawn, which is
    /// so when the settings or the options ask for it; a temperature of 0 stays greedy.
    /// </summary>
    /// <param name="options">How to choose tokens; null members, and a repetition penalty of 1, are left out.</param>
    /// <param name="settings">What the model's files say.</param>
    /// <returns>The options with both.</returns>
    public static GenerationOptions WithDefaults(this GenerationOptions options, SamplingSettings settings)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(settings);
        if (options.RepetitionPenalty == 1)
            options = options with { RepetitionPenalty = settings.RepetitionPenalty ?? 1 };
        if (options.Temperature == 0 || (options.IsGreedy && !settings.DoSample))
            return options;
        return options with
        {
            Temperature = options.Temperature ?? settings.Temperature ?? 1,
            TopK = options.TopK ?? settings.TopK,
            TopP = options.TopP ?? settings.TopP,
            MinP = options.MinP ?? settings.MinP,
            TypicalP = options.TypicalP ?? settings.TypicalP,
        };
    }
}
