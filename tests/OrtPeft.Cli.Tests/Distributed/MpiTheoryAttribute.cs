using OrtPeft.Testing;

namespace OrtPeft.Cli.Tests.Distributed;

/// <summary>A test that needs both MPIs.</summary>
internal sealed class MpiTheoryAttribute : TheoryAttribute
{
    public MpiTheoryAttribute() => Skip = Requirement.SkipReason(
        Mpirun.Names.All(static name => File.Exists(Mpirun.PathOf(name)))
            ? null
            : "Open MPI and MPICH are not both installed: apt-get install openmpi-bin mpich.");
}
