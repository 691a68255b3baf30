namespace OrtPeft.OnDevice.Tests.Engine;

/// <summary>The tests that share a run of the engine.</summary>
[CollectionDefinition(Name)]
public sealed class EngineCollection : ICollectionFixture<EngineRun>
{
    public const string Name = "engine";
}
