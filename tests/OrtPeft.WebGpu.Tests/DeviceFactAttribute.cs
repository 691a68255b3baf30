using OrtPeft.Testing;

namespace OrtPeft.WebGpu.Tests;

/// <summary>A test that needs the device; where it is missing the runner says why.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class DeviceFactAttribute : FactAttribute
{
    public DeviceFactAttribute() => Skip = Requirement.SkipReason(SoftwareDevice.WhyNot);
}
