namespace OrtPeft.Training.Data.Chat;

/// <summary>The part of a row of messages, or of a prompt and its completion, that is learned.</summary>
public enum TrainOn
{
    /// <summary>The assistant's turns, up to the token that ends each.</summary>
    Assistant,

    /// <summary>The assistant's last turn alone.</summary>
    Last,

    /// <summary>Every token.</summary>
    All,
}
