using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;
using System.Text;

namespace OrtPeft.Runtime.Sessions;

/// <summary>A name that tells one kind of processor from another.</summary>
internal static class ProcessorName
{
    private const uint Extended = 0x80000000, FirstOfName = 0x80000002, LastOfName = 0x80000004;

    /// <summary>Where Linux keeps an ARM processor's implementer and part.</summary>
    private const string ArmFile = "/sys/devices/system/cpu/cpu0/regs/identification/midr_el1";

    /// <summary>The name, without tabulators or line ends.</summary>
    public static string Read()
    {
        var name = X86Base.IsSupported ? OfX86() : File.Exists(ArmFile) ? File.ReadAllText(ArmFile).Trim() : "";
        return $"{RuntimeInformation.ProcessArchitecture} {name}".Trim();
    }

    /// <summary>Leaves 0x80000002 to 0x80000004: 48 characters.</summary>
    private static string OfX86()
    {
        if ((uint)X86Base.CpuId(unchecked((int)Extended), 0).Eax < LastOfName)
            return "";
        var registers = new List<int>();
        for (var leaf = FirstOfName; leaf <= LastOfName; leaf++)
        {
            var (a, b, c, d) = X86Base.CpuId((int)leaf, 0);
            registers.AddRange(a, b, c, d);
        }

        var characters = MemoryMarshal.AsBytes(CollectionsMarshal.AsSpan(registers));
        return string.Concat(Encoding.ASCII.GetString(characters).Where(static c => c is >= ' ' and <= '~')).Trim();
    }
}
