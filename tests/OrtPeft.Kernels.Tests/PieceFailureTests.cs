using OrtPeft.Kernels.Native;

namespace OrtPeft.Kernels.Tests;

public sealed class PieceFailureTests
{
    [Fact]
    public void Rethrow_AfterSeveralFailures_ThrowsTheFirst()
    {
        var failure = new PieceFailure();

        failure.Note(new IOException("first"));
        failure.Note(new InvalidOperationException("second"));

        Assert.True(failure.HasHappened);
        Assert.Equal("first", Assert.Throws<IOException>(failure.Rethrow).Message);
    }

    [Fact]
    public void Rethrow_WithoutAFailure_DoesNothing()
    {
        var failure = new PieceFailure();

        failure.Rethrow();

        Assert.False(failure.HasHappened);
    }
}
