using System.Globalization;

namespace OrtPeft.Tokenizers.Chat;

/// <summary>The clock that templates ask for today's date.</summary>
public sealed class ChatClock : TimeProvider
{
    private readonly DateTimeOffset _fixed;

    private ChatClock(DateTimeOffset time) => _fixed = time;

    /// <summary>
    /// The local time; where the environment variable <c>SOURCE_DATE_EPOCH</c> is set, that many seconds after 1970 in
    /// UTC instead, so that rows come out the same on another day.
    /// </summary>
    public static new TimeProvider System => Environment.GetEnvironmentVariable("SOURCE_DATE_EPOCH") is { } seconds
        && long.TryParse(seconds, NumberStyles.None, CultureInfo.InvariantCulture, out var epoch)
        && epoch <= DateTimeOffset.MaxValue.ToUnixTimeSeconds()
            ? new ChatClock(DateTimeOffset.FromUnixTimeSeconds(epoch))
            : TimeProvider.System;

    /// <summary>A clock that stands still.</summary>
    /// <param name="time">What it says, in its own offset.</param>
    /// <returns>The clock.</returns>
    public static TimeProvider At(DateTimeOffset time) => new ChatClock(time);

    /// <inheritdoc/>
    public override DateTimeOffset GetUtcNow() => _fixed.ToUniversalTime();

    /// <inheritdoc/>
    public override TimeZoneInfo LocalTimeZone => TimeZoneInfo.CreateCustomTimeZone(
        "fixed", _fixed.Offset, displayName: null, standardDisplayName: null);
}
