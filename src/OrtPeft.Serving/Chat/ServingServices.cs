using Microsoft.Extensions.AI;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
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
    /// <param name="configure">Sets the options; called when the model is opened, after what other calls have given.</param>
    /// <returns>The same services.</returns>
    public static IServiceCollection AddOrtPeftChatClient(
        this IServiceCollection services, Action<ServedModelOptions>? configure = null)
    {
        AddServed(services, configure);
        return services.AddSingleton<IChatClient>(static app => new OrtPeftChatClient(
            app.GetRequiredService<ServedModel>(), app.GetRequiredService<ServedModelOptions>().Adapter));
    }

    /// <summary>
    /// Adds an <see cref="IEmbeddingGenerator{String, Embedding}"/> over the app's one <see cref="ServedModel"/>, which a chat
    /// client that was added too shares.
    /// </summary>
    /// <param name="services">The app's services.</param>
    /// <param name="configure">Sets the options; called when the model is opened, after what other calls have given.</param>
    /// <returns>The same services.</returns>
    public static IServiceCollection AddOrtPeftEmbeddingGenerator(
        this IServiceCollection services, Action<ServedModelOptions>? configure = null)
    {
        AddServed(services, configure);
        return services.AddSingleton<IEmbeddingGenerator<string, Embedding<float>>>(static app => new OrtPeftEmbeddingGenerator(
            app.GetRequiredService<ServedModel>(), app.GetRequiredService<ServedModelOptions>().Adapter));
    }

    private static void AddServed(IServiceCollection services, Action<ServedModelOptions>? configure)
    {
        ArgumentNullException.ThrowIfNull(services);
        if (configure is not null)
            services.AddSingleton(new Setting(configure));
        services.TryAddSingleton(static app => Configured(app.GetServices<Setting>()));
        services.TryAddSingleton(static app => Open(app.GetRequiredService<ServedModelOptions>()));
    }

    private static ServedModelOptions Configured(IEnumerable<Setting> settings)
    {
        var options = new ServedModelOptions();
        foreach (var setting in settings)
            setting.Configure(options);
        return string.IsNullOrEmpty(options.Model)
            ? throw new SettingException(
                $"{nameof(ServedModelOptions)}.{nameof(options.Model)} is not set; give a model's folder.")
            : options;
    }

    private static ServedModel Open(ServedModelOptions options) => ServedModel.Open(
        TextModel.Open(options.Model!), options.Adapters.AsReadOnly(), options.Serving);

    private sealed record Setting(Action<ServedModelOptions> Configure);
}
