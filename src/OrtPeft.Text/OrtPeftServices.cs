using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using OrtPeft.Tensors;

namespace OrtPeft.Text;

/// <summary>A model and its adapter as services of an app.</summary>
public static partial class OrtPeftServices
{
    /// <summary>
    /// Adds a <see cref="TextModel"/> and a <see cref="TextGenerator"/>, each one object for the whole app. They are
    /// opened when they are first asked for, and closed with the app; warnings go to the app's log.
    /// </summary>
    /// <param name="services">The app's services.</param>
    /// <param name="configure">Sets the options, such as <c>configuration.GetSection("OrtPeft").Bind</c>; called when
    /// the model is opened.</param>
    /// <returns>The same services.</returns>
    public static IServiceCollection AddOrtPeft(this IServiceCollection services, Action<OrtPeftOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(configure);
        services.AddSingleton(_ => Configured(configure));
        services.AddSingleton(static app => TextModel.Open(
            app.GetRequiredService<OrtPeftOptions>().Model!, Warn(app.GetService<ILogger<TextModel>>())));
        services.AddSingleton(static app => OpenGenerator(
            app.GetRequiredService<TextModel>(), app.GetRequiredService<OrtPeftOptions>()));
        return services;
    }

    private static OrtPeftOptions Configured(Action<OrtPeftOptions> configure)
    {
        var options = new OrtPeftOptions();
        configure(options);
        return string.IsNullOrEmpty(options.Model)
            ? throw new SettingException(
                $"{nameof(OrtPeftOptions)}.{nameof(options.Model)} is not set; give a model's folder.")
            : options;
    }

    private static TextGenerator OpenGenerator(TextModel model, OrtPeftOptions options) => model.OpenGenerator(
        string.IsNullOrEmpty(options.Adapter) ? null : model.LoadAdapter(options.Adapter), options.Runtime);

    private static Action<string>? Warn(ILogger? logger) =>
        logger is null ? null : line => LogWarning(logger, line);

    [LoggerMessage(1, LogLevel.Warning, "{Line}")]
    private static partial void LogWarning(ILogger logger, string line);
}
