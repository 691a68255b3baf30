using System.Runtime.InteropServices;

namespace OrtPeft.Training.Distributed;

/// <summary>
/// The functions of the MPI that is installed. Handles differ: Open MPI's are addresses of symbols, those of MPICH and its
/// kin (Intel MPI, MS-MPI, MVAPICH) are numbers, and so are those of MPI 5's standard ABI.
/// </summary>
/// <seealso href="https://www.mpi-forum.org/docs/mpi-5.0/mpi50-report.pdf">MPI 5.0, chapter 20 and appendix A.</seealso>
internal sealed unsafe class MpiLibrary
{
    /// <summary>Names another library than those that are looked for.</summary>
    public const string Variable = "ORTPEFT_MPI_LIBRARY";

    private static readonly string[] OpenMpi = ["libmpi.so.40", "libmpi.40.dylib", "libmpi.so", "libmpi.dylib"];
    private static readonly string[] Mpich =
        ["libmpich.so.12", "libmpi.so.12", "libmpi.12.dylib", "msmpi.dll", "impi.dll", "libmpich.so", "libmpi.so", "libmpi.dylib"];

    private static readonly string[] Standard = ["libmpi_abi.so.0", "libmpi_abi.so", "libmpi_abi.0.dylib"];

    private readonly nint _library;
    private readonly nint _world;
    private readonly nint _byte;
    private readonly delegate* unmanaged<void*, int, nint, void*, int, nint, nint, int> _allGather;
    private readonly delegate* unmanaged<void*, int, nint, void*, int, nint, nint, int> _allToAll;
    private readonly delegate* unmanaged<void*, int, nint, int, nint, int> _broadcast;

    private MpiLibrary(nint library, string name)
    {
        (_library, Name) = (library, name);
        (_world, _byte) = NativeLibrary.TryGetExport(library, "ompi_mpi_comm_world", out var world)
            ? (world, Export("ompi_mpi_byte"))
            : Path.GetFileName(name).Contains("mpi_abi", StringComparison.Ordinal)
                ? (0x101, 0x247)
                : (0x44000000, 0x4c00010d);
        _allGather = (delegate* unmanaged<void*, int, nint, void*, int, nint, nint, int>)Export("MPI_Allgather");
        _allToAll = (delegate* unmanaged<void*, int, nint, void*, int, nint, nint, int>)Export("MPI_Alltoall");
        _broadcast = (delegate* unmanaged<void*, int, nint, int, nint, int>)Export("MPI_Bcast");
    }

    /// <summary>The file that was loaded.</summary>
    public string Name { get; }

    /// <summary>Loads the launcher's MPI.</summary>
    /// <exception cref="DistributedException">There is none.</exception>
    public static MpiLibrary Load()
    {
        if (Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } path)
        {
            return NativeLibrary.TryLoad(path, out var chosen)
                ? new MpiLibrary(chosen, path)
                : throw new DistributedException($"{Variable} is '{path}', which cannot be loaded as a library.")
                {
                    IsOfLibrary = true,
                };
        }

        string[] others = [.. Mpich, .. Standard];
        var names = MpiLaunch.IsOpenMpi ? OpenMpi : MpiLaunch.IsPmix ? [.. OpenMpi, .. others] : [.. others, .. OpenMpi];
        foreach (var name in names)
        {
            if (NativeLibrary.TryLoad(name, out var library))
                return new MpiLibrary(library, name);
        }

        throw new DistributedException(
            $"An MPI launcher started this process, and none of {string.Join(", ", names.Distinct())} can be loaded; install "
            + $"that launcher's MPI, or name its library in {Variable}.")
        {
            IsOfLibrary = true,
        };
    }

    public void Init() => Check("MPI_Init", ((delegate* unmanaged<void*, void*, int>)Export("MPI_Init"))(null, null));

    public int Rank() => Number("MPI_Comm_rank");

    public int Size() => Number("MPI_Comm_size");

    public void AllGather(byte* mine, byte* all, int count) =>
        Check("MPI_Allgather", _allGather(mine, count, _byte, all, count, _byte, _world));

    public void AllToAll(byte* parts, byte* mine, int count) =>
        Check("MPI_Alltoall", _allToAll(parts, count, _byte, mine, count, _byte, _world));

    public void Broadcast(byte* bytes, int count) => Check("MPI_Bcast", _broadcast(bytes, count, _byte, 0, _world));

    public void Abort(int exitCode) => ((delegate* unmanaged<nint, int, int>)Export("MPI_Abort"))(_world, exitCode);

    public void Finish() => Check("MPI_Finalize", ((delegate* unmanaged<int>)Export("MPI_Finalize"))());

    private static void Check(string function, int result)
    {
        if (result != 0)
            throw new DistributedException($"{function} failed with error {result}; another process of the run may have ended.");
    }

    private int Number(string function)
    {
        int number;
        Check(function, ((delegate* unmanaged<nint, int*, int>)Export(function))(_world, &number));
        return number;
    }

    private nint Export(string name) => NativeLibrary.TryGetExport(_library, name, out var address)
        ? address
        : throw new DistributedException($"The MPI library has no {name}; name another one in {Variable}.");
}
