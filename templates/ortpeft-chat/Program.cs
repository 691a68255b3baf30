using OrtPeft.Text;
using OrtPeft.Tokenizers.Chat;

var builder = WebApplication.CreateBuilder(args);
builder.Services.AddOrtPeft(builder.Configuration.GetSection("OrtPeft").Bind);
var app = builder.Build();
app.Services.GetRequiredService<TextGenerator>(); // opens the model now, not at the first request

app.Use(async (context, next) =>
{
    try
    {
        await next(context);
    }
    catch (Exception error) when (error is ArgumentException or ChatTemplateException)
    {
        context.Response.StatusCode = StatusCodes.Status400BadRequest;
        await context.Response.WriteAsync(error.Message); // too long for the model, for example
    }
});
app.MapGet("/generate", (string prompt, TextGenerator generator, CancellationToken stop) =>
    generator.Generate(prompt, cancellation: stop));
app.MapPost("/chat", (ChatMessage[] messages, TextGenerator generator, CancellationToken stop) =>
    generator.Answer(messages, cancellation: stop));
app.Run();
