/// <summary>
/// What .NET calls first in a process that names this assembly in <c>DOTNET_STARTUP_HOOKS</c>: at the end it writes the
/// names of all assemblies that were loaded.
/// </summary>
internal static class StartupHook
{
    /// <summary>The variable with the file to write.</summary>
    public const string FileVariable = "LOADED_ASSEMBLIES_FILE";

    public static void Initialize() => AppDomain.CurrentDomain.ProcessExit += static (_, _) => File.WriteAllLines(
        Environment.GetEnvironmentVariable(FileVariable)!,
        AppDomain.CurrentDomain.GetAssemblies().Select(static a => a.GetName().Name!));
}
