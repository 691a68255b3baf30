using OrtPeft.Tensors;

namespace OrtPeft.Onnx.Tests.IR;

public sealed class GraphTests
{
    private readonly Graph _graph = new("g");
    private readonly Value _x;
    private readonly Node _first;
    private readonly Node _second;

    public GraphTests()
    {
        _x = _graph.AddInput("x", ElementType.Float, [2]);
        _first = _graph.AddNode("Neg", [_x], ["a"]);
        _second = _graph.AddNode("Neg", [_first.Output], ["b"]);
        _graph.AddOutput(_second.Output);
    }

    [Fact]
    public void AddInput_WithANameInUse_Throws() =>
        AssertRefused(() => _graph.AddInput("a", ElementType.Float, null));

    [Fact]
    public void AddInitializer_WithANameInUse_Throws() =>
        AssertRefused(() => _graph.AddInitializer("x", Tensor.Scalar(1f)));

    [Fact]
    public void AddNode_WithAnOutputNameInUse_Throws() =>
        AssertRefused(() => _graph.AddNode("Neg", [_x], ["new", "b"]));

    [Fact]
    public void AddNode_WithTwoOutputsOfOneName_Throws() =>
        AssertRefused(() => _graph.AddNode("Split", [_x], ["same", "same"]));

    [Fact]
    public void AddNode_WithAnAttributeTwice_Throws() => AssertRefused(() =>
        _graph.AddNode("Softmax", [_x], ["new"], [NodeAttribute.Of("axis", 1L), NodeAttribute.Of("axis", 0L)]));

    [Fact]
    public void AddNode_ReadingAnotherGraphsValue_Throws()
    {
        var foreign = new Graph("other").AddInput("y", ElementType.Float, null);

        AssertRefused(() => _graph.AddNode("Neg", [foreign], ["new"]));
    }

    [Fact]
    public void AddNode_BeforeANodeOfAnotherGraph_Throws()
    {
        var foreign = new Graph("other").AddNode("Constant", [], ["c"]);

        AssertRefused(() => _graph.AddNode("Neg", [_x], ["new"], before: foreign));
    }

    [Fact]
    public void AddNode_Before_InsertsThere()
    {
        var added = _graph.AddNode("Neg", [_x], ["new"], before: _first);

        Assert.Equal([added, _first, _second], _graph.Nodes);
        GraphValidator.Check(_graph);
    }

    [Fact]
    public void AddOutput_OfAnotherGraphsValue_Throws()
    {
        var foreign = new Graph("other").AddInput("y", ElementType.Float, null);

        AssertRefused(() => _graph.AddOutput(foreign));
    }

    [Fact]
    public void RemoveOutput_OfAValueThatIsNone_Throws() => AssertRefused(() => _graph.RemoveOutput(_x));

    [Fact]
    public void SetInput_ToAnotherGraphsValue_Throws()
    {
        var foreign = new Graph("other").AddInput("y", ElementType.Float, null);

        AssertRefused(() => _second.SetInput(0, foreign));
    }

    [Fact]
    public void SetInput_ToARemovedValue_Throws()
    {
        var removed = _graph.AddNode("Neg", [_x], ["gone"]);
        _graph.Remove(removed);

        AssertRefused(() => _second.SetInput(0, removed.Output));
    }

    [Fact]
    public void SetInput_ToAnotherValue_MovesTheUse()
    {
        _second.SetInput(0, _x);

        Assert.Empty(_first.Output.Uses);
        Assert.Contains(new Use(_second, 0), _x.Uses);
        GraphValidator.Check(_graph);
    }

    [Fact]
    public void Remove_WhenOutputIsUsed_Throws() => AssertRefused(() => _graph.Remove(_first));

    [Fact]
    public void Remove_WhenOutputIsAResult_Throws() => AssertRefused(() => _graph.Remove(_second));

    [Fact]
    public void Remove_OfAnInputThatIsRead_Throws() => AssertRefused(() => _graph.Remove(_x));

    [Fact]
    public void Remove_OfAnUnreadNode_FreesItsNameAndItsInputs()
    {
        _graph.RemoveOutput(_second.Output);

        _graph.Remove(_second);

        Assert.Null(_graph.Find("b"));
        Assert.Empty(_first.Output.Uses);
        GraphValidator.Check(_graph);
    }

    [Fact]
    public void ReplaceAllUsesWith_AnotherValue_MovesReadersAndResults()
    {
        var other = _graph.AddNode("Abs", [_x], ["other"]);

        _graph.ReplaceAllUsesWith(_second.Output, other.Output);

        Assert.Equal([other.Output], _graph.Outputs);
        Assert.False(_second.Output.IsGraphOutput);
        GraphValidator.Check(_graph);
    }

    [Fact]
    public void ReplaceAllUsesWith_ExceptANode_LeavesItsReads()
    {
        var wrapped = _graph.AddNode("Abs", [_first.Output], ["wrapped"], before: _second);

        _graph.ReplaceAllUsesWith(_first.Output, wrapped.Output, wrapped);

        Assert.Equal([new Use(wrapped, 0)], _first.Output.Uses);
        Assert.Equal(wrapped.Output, _second.Input(0));
        GraphValidator.Check(_graph);
    }

    [Fact]
    public void ReplaceAllUsesWith_AnotherGraphsValue_Throws()
    {
        var foreign = new Graph("other").AddInput("y", ElementType.Float, null);

        AssertRefused(() => _graph.ReplaceAllUsesWith(_x, foreign));
    }

    [Theory]
    [InlineData("a")]
    [InlineData("")]
    public void Rename_ToANameThatCannotBe_Throws(string name) => AssertRefused(() => _graph.Rename(_x, name));

    [Fact]
    public void Rename_ToAFreeName_IsFoundThere()
    {
        _graph.Rename(_x, "ids");

        Assert.Equal(_x, _graph.Find("ids"));
        Assert.Null(_graph.Find("x"));
        GraphValidator.Check(_graph);
    }

    [Fact]
    public void SetInitializer_OfANodesOutput_Throws() =>
        AssertRefused(() => _graph.SetInitializer(_first.Output, Tensor.Scalar(1f)));

    [Fact]
    public void TurnIntoInput_OfAConstant_MustBeFed()
    {
        var constant = _graph.AddInitializer("w", Tensor.Scalar(1f));

        _graph.TurnIntoInput(constant);

        Assert.Null(constant.Constant);
        Assert.Contains(constant, _graph.Inputs);
        GraphValidator.Check(_graph);
    }

    [Fact]
    public void TurnIntoInput_OfANodesOutput_Throws() => AssertRefused(() => _graph.TurnIntoInput(_first.Output));

    [Fact]
    public void SortTopologically_OfACycle_Throws()
    {
        _first.SetInput(0, _second.Output);

        var error = Assert.Throws<GraphException>(_graph.SortTopologically);

        Assert.Contains("cycle", error.Message, StringComparison.Ordinal);
        Assert.Equal([_first, _second], _graph.Nodes);
    }

    [Fact]
    public void SortTopologically_WhenASubgraphReads_PutsItsProducerFirst()
    {
        var choice = AddChoice(_second.Output);
        var late = _graph.AddNode("Abs", [_x], ["late"]);
        choice.Subgraphs.Single().Nodes[0].SetInput(0, late.Output);

        _graph.SortTopologically();

        Assert.Equal([_first, _second, late, choice], _graph.Nodes);
        GraphValidator.Check(_graph);
    }

    [Fact]
    public void Remove_OfANodeWithASubgraph_TakesTheSubgraphsReadsBack()
    {
        var choice = AddChoice(_first.Output);

        _graph.Remove(choice);

        Assert.Equal([new Use(_second, 0)], _first.Output.Uses);
        GraphValidator.Check(_graph);
    }

    [Fact]
    public void AttributesSet_OverASubgraph_MovesTheReadsToTheNewOne()
    {
        var choice = AddChoice(_first.Output);

        choice.Attributes.Set(NodeAttribute.Of("then_branch", Reading(_x)));

        Assert.Equal([new Use(_second, 0)], _first.Output.Uses);
        Assert.Contains(_x.Uses, use => use.Node == choice.Subgraphs.Single().Nodes[0]);
        GraphValidator.Check(_graph);
    }

    [Fact]
    public void AttributesSet_ToTheSameSubgraph_KeepsItsReads()
    {
        var choice = AddChoice(_first.Output);

        choice.Attributes.Set(NodeAttribute.Of("then_branch", choice.Subgraphs.Single()));

        Assert.Equal(2, _first.Output.Uses.Count);
        GraphValidator.Check(_graph);
    }

    [Fact]
    public void AttributesRemove_OfASubgraph_TakesItsReadsBack()
    {
        var choice = AddChoice(_first.Output);

        choice.Attributes.Remove("then_branch");

        Assert.Equal([new Use(_second, 0)], _first.Output.Uses);
        GraphValidator.Check(_graph);
    }

    [Fact]
    public void AttributesClear_WithSubgraphs_TakesTheirReadsBack()
    {
        var choice = AddChoice(_first.Output);
        choice.Attributes.Add(NodeAttribute.Of("else_branch", Reading(_first.Output)));

        choice.Attributes.Clear();

        Assert.Equal([new Use(_second, 0)], _first.Output.Uses);
        GraphValidator.Check(_graph);
    }

    [Fact]
    public void AttributesSet_ToASubgraphOfAnotherNode_Throws()
    {
        var choice = AddChoice(_first.Output);
        var other = _graph.AddNode("If", [_x], ["other"]);

        AssertRefused(() => other.Attributes.Set(NodeAttribute.Of("then_branch", choice.Subgraphs.Single())));
    }

    [Fact]
    public void AttributesSet_ToASubgraphThatWasTakenOut_Throws()
    {
        var choice = AddChoice(_first.Output);
        var branch = choice.Attributes["then_branch"];
        choice.Attributes.Remove("then_branch");

        AssertRefused(() => choice.Attributes.Set(branch));
    }

    [Fact]
    public void AttributesSet_ToASubgraphOfAnotherGraph_Throws()
    {
        var choice = AddChoice(_first.Output);

        AssertRefused(() => choice.Attributes.Set(NodeAttribute.Of("then_branch", new Graph("b", new Graph("other")))));
    }

    [Fact]
    public void AddNode_WithASubgraphOfAnotherGraph_Throws() => AssertRefused(() =>
        _graph.AddNode("If", [_x], ["new"], [NodeAttribute.Of("then_branch", new Graph("b", new Graph("other")))]));

    [Fact]
    public void AddNode_WithOneSubgraphTwice_Throws()
    {
        var branch = new Graph("b", _graph);

        AssertRefused(() => _graph.AddNode(
            "If", [_x], ["new"], [NodeAttribute.Of("then_branch", branch), NodeAttribute.Of("else_branch", branch)]));
    }

    [Fact]
    public void ReplaceAllUsesWith_OfAValueThatASubgraphPassesOn_ReplacesItThere()
    {
        var (choice, other) = (AddChoice(_x), _graph.AddNode("Abs", [_x], ["other"], before: _first));
        var branch = choice.Subgraphs.Single();
        branch.AddOutput(_first.Output);

        _graph.ReplaceAllUsesWith(_first.Output, other.Output);

        Assert.Equal(other.Output, branch.Outputs[1]);
        Assert.True(other.Output.IsGraphOutput);
        Assert.False(_first.Output.IsGraphOutput);
        _graph.Remove(_first);
        GraphValidator.Check(_graph);
    }

    [Fact]
    public void RemoveOutput_OfAValueThatASubgraphPassesOn_KeepsItThere()
    {
        AddChoice(_x).Subgraphs.Single().AddOutput(_second.Output);

        _graph.RemoveOutput(_second.Output);

        AssertRefused(() => _graph.Remove(_second));
    }

    [Fact]
    public void AttributesRemove_OfASubgraphThatPassesAValueOn_LetsTheValueGo()
    {
        var choice = AddChoice(_x);
        choice.Subgraphs.Single().AddOutput(_first.Output);

        choice.Attributes.Remove("then_branch");

        Assert.False(_first.Output.IsGraphOutput);
        GraphValidator.Check(_graph);
    }

    [Fact]
    public void FirstReader_ThatPassesTheValueOn_IsTheNodeThatHoldsIt()
    {
        var choice = AddChoice(_x);
        choice.Subgraphs.Single().AddOutput(_second.Output);

        Assert.Same(choice, _graph.FirstReader(_second.Output));
    }

    [Fact]
    public void NodeChanges_OfEdits_CountNodesThatComeAndGo()
    {
        var before = _graph.NodeChanges;

        _graph.Remove(_graph.AddNode("Abs", [_x], ["new"]));
        _second.SetInput(0, _x);
        AssertRefused(() => _graph.AddNode("Abs", [_x], ["a"]));

        Assert.Equal(before + 2, _graph.NodeChanges);
    }

    [Fact]
    public void FirstReader_AfterEdits_IsTheFirstInOrder()
    {
        var late = _graph.AddNode("Abs", [_x], ["late"]);
        Assert.Same(_first, _graph.FirstReader(_x));

        var early = _graph.AddNode("Abs", [_x], ["early"], before: _first);
        Assert.Same(early, _graph.FirstReader(_x));

        _graph.Remove(early);
        _first.SetInput(0, null);
        Assert.Same(late, _graph.FirstReader(_x));
        Assert.Null(_graph.FirstReader(late.Output));
    }

    [Fact]
    public void FirstReader_InANestedSubgraph_IsTheNodeThatHoldsIt()
    {
        var choice = _graph.AddNode("If", [_x], ["chosen"]);
        var outer = new Graph("outer", _graph);
        var inner = new Graph("inner", outer);
        inner.AddOutput(inner.AddNode("Neg", [_second.Output], ["deep"]).Output);
        outer.AddOutput(outer.AddNode("If", [], ["middle"], [NodeAttribute.Of("then_branch", inner)]).Output);
        choice.Attributes.Set(NodeAttribute.Of("then_branch", outer));
        _graph.AddNode("Abs", [_second.Output], ["late"]);

        Assert.Same(choice, _graph.FirstReader(_second.Output));
        Assert.Throws<GraphException>(() => outer.FirstReader(_second.Output));
    }

    [Fact]
    public void RemoveDeadCode_KeepsWhatTheResultsNeed()
    {
        var unread = _graph.AddNode("Abs", [_x], ["unread"]);
        _graph.AddNode("Abs", [unread.Output], ["unread too"]);
        _graph.AddInitializer("w", Tensor.Scalar(1f));

        _graph.RemoveDeadCode();

        Assert.Equal([_first, _second], _graph.Nodes);
        Assert.Empty(_graph.Initializers);
        GraphValidator.Check(_graph);
    }

    [Fact]
    public void FreshName_WithANameInUse_GivesOneThatIsFree() => Assert.Null(_graph.Find(_graph.FreshName("a")));

    private Node AddChoice(Value read) =>
        _graph.AddNode("If", [_x], ["chosen"], [NodeAttribute.Of("then_branch", Reading(read))]);

    private Graph Reading(Value value)
    {
        var branch = new Graph("branch", _graph);
        branch.AddOutput(branch.AddNode("Neg", [value], ["inner"]).Output);
        return branch;
    }

    private void AssertRefused(Action edit)
    {
        var before = GraphText.Of(_graph);

        Assert.Throws<GraphException>(edit);

        Assert.Equal(before, GraphText.Of(_graph));
        GraphValidator.Check(_graph);
    }
}
