using OrtPeft.Training.Distributed;

namespace OrtPeft.Training.Runtime.Memory;

/// <summary>
/// How the graphs of a step hand each other parameters, gradients and the optimiser's states. The vectors of
/// <see cref="TrainedVectors"/> are what checkpoints read and write; where the numbers are elsewhere during training, they
/// are fetched into them and sent from them.
/// </summary>
internal interface IStepMemory : IDisposable
{
    /// <summary>Gives a graph of the loss its parameters, now and whenever they have moved.</summary>
    /// <param name="session">The graph.</param>
    /// <param name="evaluated">Whether it gets those that are evaluated and saved, or those that train.</param>
    void Feed(LossSession session, bool evaluated);

    /// <summary>Says where the training graph's next run puts its gradients.</summary>
    /// <param name="training">The training graph.</param>
    /// <param name="part">The part of the step's batches, from 0: the gradients of later ones are added.</param>
    void BeforePart(LossSession training, int part);

    /// <summary>Takes the gradients of the run.</summary>
    /// <param name="training">The training graph.</param>
    /// <param name="part">As in <see cref="BeforePart"/>.</param>
    void AfterPart(LossSession training, int part);

    /// <summary>Sets the gradients to zero: this process has no part of the step.</summary>
    void ClearGradients();

    /// <summary>Puts the sum of all processes' gradients in the gradients' place.</summary>
    void SumGradients(ProcessGroup processes);

    /// <summary>Runs the optimiser.</summary>
    /// <param name="step">The step's number, from 1.</param>
    /// <param name="learningRate">The rate of this step.</param>
    /// <returns>The gradients' norm before clipping.</returns>
    double Move(int step, double learningRate);

    /// <summary>Brings parameters and states as they are into the vectors.</summary>
    void Fetch();

    /// <summary>Takes parameters and states from the vectors.</summary>
    void Send();
}
