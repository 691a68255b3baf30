using Microsoft.Extensions.AI;
using Microsoft.Extensions.DependencyInjection;
using OrtPeft.Tensors;
using OrtPeft.Text;

namespace OrtPeft.Serving.Chat;

/// <summary>A served model as services of an app.</summary>
public static class ServingServices
{
    /// <summary>
    /// Adds a <see cref="ServedModel"/> and an <see cref="IChatClient"/> over it, each one object for the whole app. They are
    /// opened when they are first asked for, and closed with the app.
    /// </summary>
    /// <param name="services">The app's services.</param>
    /// <param name="configure">Sets the options; called when the model is opened.</param>
    /// <returns>The same services.</returns>
    public static IServiceCollection AddOrtPeftChatClient(
        this IServiceCollection services, Action<ServedModelOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(configure);
        services.AddSingleton(_ => Configured(configure));
        services.AddSingleton(static app => Open(app.GetRequiredService<ServedModelOptions>()));
        services.AddSingleton<IChatClient>(static app => new OrtPeftChatClient(
            app.GetRequiredService<ServedModel>(), app.GetRequiredService<ServedModelOptions>().Adapter));
        return services;
    }

    private static ServedModelOptions Configured(Action<ServedModelOptions> configure)
    {
        var options = new ServedModelOptions();
        configure(options);
        return string.IsNullOrEmpty(options.Model)
            ? throw new SettingException(
                $"{nameof(ServedModelOptions)}.{nameof(options.Model)} is not set; give a model's folder.")
            : options;
    }

    private static ServedModel Open(ServedModelOptions options) => ServedModel.Open(
        TextModel.Open(options.Model!), options.Adapters.AsReadOnly(), options.Serving);
}
