using OrtPeft.Cli.Tests.Running;

namespace OrtPeft.Server.Tests;

public sealed class PageTests
{
    [BrowserFact]
    public async Task Page_AsksSeveralModelsSideBySide()
    {
        await using var server = await RunningServer.StartAsync();
        await using var browser = await Browser.StartAsync();
        foreach (var (width, isDark) in new[] { (1200, false), (380, true) })
        {
            await browser.OpenAsync(server.Server.Address.ToString(), width, isDark);
            await Until(browser, "document.querySelectorAll('#models input').length === 3");
            await browser.EvaluateAsync("document.querySelector('#prompt').value = 'Gets the'; document.querySelector('#tokens').value = 8;"
                + "document.querySelector('#ask').click()");
            await Until(browser, "[...document.querySelectorAll('article small')].filter(n => n.textContent.startsWith('8 tokens')).length === 3");

            Assert.True((bool)(await browser.EvaluateAsync("document.documentElement.scrollWidth <= innerWidth"))!);
            Assert.Equal("base,one,two", (string?)await browser.EvaluateAsync(
                "[...document.querySelectorAll('article h2')].map(h => h.textContent).join()"));
            Assert.DoesNotContain(browser.Complaints, c => !c.StartsWith($"fetched {server.Server.Address}", StringComparison.Ordinal));
        }
    }

    private static async Task Until(Browser browser, string expression)
    {
        for (var i = 0; i < 1000; i++)
        {
            if ((bool)(await browser.EvaluateAsync(expression))!)
                return;
            await Task.Delay(20);
        }

        Assert.Fail($"Never came true: {expression}");
    }
}
