using System.Globalization;

namespace OrtPeft.Training.Distributed;

/// <summary>The environment variables by which an MPI launcher informs the processes that it starts.</summary>
internal static class MpiLaunch
{
    /// <summary>Of Open MPI, of Hydra (MPICH, Intel MPI), MS-MPI and Slurm's PMI-2, and of PMIx, which srun serves too.
    /// </summary>
    private static readonly string[] Sizes = ["OMPI_COMM_WORLD_SIZE", "PMI_SIZE"];

    private static readonly string[] LocalSizes =
        ["OMPI_COMM_WORLD_LOCAL_SIZE", "MPI_LOCALNRANKS", "MPI_LOCALNRANKS_PER_NODE"];

    private static readonly string[] Ranks = ["OMPI_COMM_WORLD_RANK", "PMI_RANK", "PMIX_RANK"];

    /// <summary>Whether an MPI launcher started this process beside others.</summary>
    public static bool IsLaunched => Number(Sizes) is { } size ? size > 1
        : Environment.GetEnvironmentVariable("PMIX_RANK") is not null && Number(["SLURM_NTASKS", "SLURM_NPROCS"]) is not 1;

    /// <summary>How many tasks <c>srun</c> started that know nothing of each other, since it was told of no MPI; null where there
    /// are none.</summary>
    public static int? TasksApart => !IsLaunched && Number(["SLURM_STEP_NUM_TASKS"]) is > 1 and var tasks ? tasks : null;

    /// <summary>Whether the launcher is Open MPI's.</summary>
    public static bool IsOpenMpi => Environment.GetEnvironmentVariable("OMPI_COMM_WORLD_SIZE") is not null;

    /// <summary>Whether the launcher told of itself by PMIx alone, which Open MPI's library takes and MPICH's seldom does.</summary>
    public static bool IsPmix => Number(Sizes) is null && Environment.GetEnvironmentVariable("PMIX_RANK") is not null;

    /// <summary>The rank that the launcher gave, before MPI is there to ask; 0 for none.</summary>
    public static int Rank => Number(Ranks) ?? 0;

    /// <summary>How many of the processes run on this machine, 1 or more.</summary>
    public static int LocalSize => Math.Max(1, Number(LocalSizes)
        ?? (Environment.GetEnvironmentVariable("SLURM_STEP_TASKS_PER_NODE") is { } list ? LargestOf(list) : 1));

    /// <summary>How many threads this process may use: the cores that it is bound to, or its share of the machine's.</summary>
    public static int Threads => IsBound ? Environment.ProcessorCount : Math.Max(1, Environment.ProcessorCount / LocalSize);

    /// <summary>Whether the launcher bound this process to some of the cores.</summary>
    private static bool IsBound
    {
        get
        {
            const string Status = "/proc/self/status", Online = "/sys/devices/system/cpu/online";
            if (!File.Exists(Status) || !File.Exists(Online))
                return false;
            var allowed = File.ReadLines(Status).FirstOrDefault(static l => l.StartsWith("Cpus_allowed_list:", StringComparison.Ordinal));
            return allowed is not null && CountOf(allowed.Split(':')[1]) < CountOf(File.ReadAllText(Online));
        }
    }

    /// <summary>The length of a list such as <c>0-3,7</c>.</summary>
    internal static int CountOf(string list) => list.Trim().Split(',', StringSplitOptions.RemoveEmptyEntries).Sum(static range =>
        range.Split('-') is [var first, var last]
            ? int.Parse(last, CultureInfo.InvariantCulture) - int.Parse(first, CultureInfo.InvariantCulture) + 1
            : 1);

    /// <summary>The largest of Slurm's numbers of tasks by node, such as <c>4(x2),3</c>; 1 where it is written otherwise.</summary>
    internal static int LargestOf(string list) => list.Split(',').Max(static tasks =>
        int.TryParse(tasks.Split('(')[0], CultureInfo.InvariantCulture, out var count) ? count : 1);

    private static int? Number(IEnumerable<string> variables) => variables
        .Select(static name => int.TryParse(
            Environment.GetEnvironmentVariable(name), CultureInfo.InvariantCulture, out var number) ? number : (int?)null)
        .FirstOrDefault(static number => number is not null);
}
