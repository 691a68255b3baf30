namespace OrtPeft.Training.Data.Chat;

/// <summary>The tokens of one turn that the model is to write.</summary>
/// <param name="Message">The turn's place in the conversation; null where it is not known.</param>
/// <param name="First">The first token.</param>
/// <param name="End">The token after the last.</param>
internal readonly record struct Turn(int? Message, int First, int End);
