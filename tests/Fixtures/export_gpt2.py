"""Exports compact GPT-2 models with torch.onnx.export (PyTorch 1.13), and writes what autograd computes for them.

Run with the Python of Debian 12 (apt-get install python3-torch python3-onnx libopenblas0-pthread):
    python3 export_gpt2.py OUT
Each model becomes OUT/graphs/<name>.onnx (OUT/half/ for half precision), and OUT/golden/<name>/ with index.json and data.safetensors, laid out as the
other goldens. Weights are random, seeds fixed.
"""
import json, math, os, struct, sys
import torch
from torch import nn
import torch.nn.functional as F


class Conv1D(nn.Module):
    """HF's layer: the weight is [in, out]."""
    def __init__(self, n_in, n_out):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(n_in, n_out))
        self.bias = nn.Parameter(torch.empty(n_out))
        self.n_out = n_out

    def forward(self, x):
        size = x.size()[:-1] + (self.n_out,)
        return torch.addmm(self.bias, x.view(-1, x.size(-1)), self.weight).view(size)


def gelu_new(x):
    return 0.5 * x * (1.0 + torch.tanh(math.sqrt(2.0 / math.pi) * (x + 0.044715 * torch.pow(x, 3.0))))


class Attention(nn.Module):
    def __init__(self, c):
        super().__init__()
        linear = Conv1D if c["style"] == "hf" else (lambda i, o: nn.Linear(i, o, bias=c["bias"]))
        self.c_attn, self.c_proj = linear(c["E"], c["A"] * 3), linear(c["A"], c["E"])
        self.H, self.A, self.style = c["H"], c["A"], c["style"]
        self.register_buffer("bias", torch.tril(torch.ones(c["P"], c["P"], dtype=torch.uint8)).view(1, 1, c["P"], c["P"]))
        self.attn_dropout, self.resid_dropout = nn.Dropout(c["dropout"]), nn.Dropout(c["dropout"])

    def heads(self, x):
        return x.view(x.size(0), x.size(1), self.H, self.A // self.H).permute(0, 2, 1, 3)

    def forward(self, x, mask):
        q, k, v = (self.heads(t) for t in self.c_attn(x).split(self.A, dim=2))
        w = torch.matmul(q, k.transpose(-1, -2))
        w = w / (float(v.size(-1)) ** 0.5) if self.style == "hf" else w * (1.0 / math.sqrt(k.size(-1)))
        causal = self.bias[:, :, k.size(-2) - q.size(-2):k.size(-2), :k.size(-2)].bool()
        if self.style == "hf":
            w = torch.where(causal, w, torch.tensor(torch.finfo(w.dtype).min, dtype=w.dtype))
        else:
            w = w.masked_fill(causal == 0, float("-inf"))
        if mask is not None:
            w = w + mask
        w = self.attn_dropout(torch.softmax(w, dim=-1))
        a = torch.matmul(w, v).permute(0, 2, 1, 3).contiguous()
        return self.resid_dropout(self.c_proj(a.view(a.size(0), a.size(1), self.A)))


class MLP(nn.Module):
    def __init__(self, c):
        super().__init__()
        linear = Conv1D if c["style"] == "hf" else (lambda i, o: nn.Linear(i, o, bias=c["bias"]))
        self.c_fc, self.c_proj = linear(c["E"], c["F"]), linear(c["F"], c["E"])
        self.act = gelu_new if c["style"] == "hf" else F.gelu
        self.dropout = nn.Dropout(c["dropout"])

    def forward(self, x):
        return self.dropout(self.c_proj(self.act(self.c_fc(x))))


class Block(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.ln_1, self.attn = nn.LayerNorm(c["E"]), Attention(c)
        self.ln_2, self.mlp = nn.LayerNorm(c["E"]), MLP(c)

    def forward(self, x, mask):
        x = x + self.attn(self.ln_1(x), mask)
        return x + self.mlp(self.ln_2(x))


class Gpt2(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.transformer = nn.ModuleDict(dict(
            wte=nn.Embedding(c["V"], c["E"]), wpe=nn.Embedding(c["P"], c["E"]), drop=nn.Dropout(c["dropout"]),
            h=nn.ModuleList([Block(c) for _ in range(c["L"])]), ln_f=nn.LayerNorm(c["E"])))
        self.lm_head = nn.Linear(c["E"], c["V"], bias=False)
        if c["tied"]:
            self.lm_head.weight = self.transformer.wte.weight
        self.style = c["style"]

    def forward(self, input_ids, attention_mask=None):
        t = self.transformer
        positions = torch.arange(0, input_ids.size(-1), dtype=torch.long).unsqueeze(0)
        x = t.drop(t.wte(input_ids) + t.wpe(positions))
        mask = None
        if attention_mask is not None:
            mask = attention_mask[:, None, None, :].to(x.dtype)
            mask = (1.0 - mask) * torch.finfo(x.dtype).min
        for block in t.h:
            x = block(x, mask)
        return self.lm_head(t.ln_f(x))


BASE = dict(L=2, E=24, H=3, A=24, F=96, V=67, P=24, style="hf", bias=True, tied=True, dropout=0.0,
            opset=14, dynamic=True, fold=True, train=False, keep=None, half=False, mask=True)

MODELS = {
    "t113_hf_l3_op9_static": dict(L=3, E=48, H=6, A=48, F=192, V=257, opset=9, dynamic=False),
    "t113_hf_op11_keepinits": dict(opset=11, keep=True),
    "t113_hf_l1_op16_nofold_static": dict(L=1, opset=16, fold=False, dynamic=False),
    "t113_hf_oddheads_op17_untied": dict(E=35, H=5, A=35, F=70, V=67, opset=17, tied=False),
    "t113_hf_op14_train_nofold": dict(opset=14, train=True, fold=False, dropout=0.1),
    "t113_nano_op9_static": dict(style="nano", opset=9, mask=False, dynamic=False),
    "t113_nano_nobias_op14_keepinits": dict(style="nano", bias=False, opset=14, mask=False, keep=True),
    "t113_nano_narrow_op16_nofold": dict(style="nano", E=30, H=3, A=30, F=50, opset=16, mask=False, fold=False),
    "t113_nano_op17_train": dict(style="nano", opset=17, train=True, dropout=0.2, mask=False),
    "t113_hf_op14_half": dict(opset=14, half=True),
}


def halve(path):
    """Every float32 tensor, type and cast becomes float16, as converters do it; PyTorch 1.13 has no half kernels."""
    import onnx
    from onnx import numpy_helper
    model = onnx.load(path)

    def tensor(t):
        if t.data_type == onnx.TensorProto.FLOAT:
            a = numpy_helper.to_array(t).astype("float32").clip(-65504, 65504).astype("float16")
            t.CopyFrom(numpy_helper.from_array(a, t.name))

    for t in model.graph.initializer:
        tensor(t)
    for node in model.graph.node:
        for a in node.attribute:
            if a.HasField("t"):
                tensor(a.t)
            if node.op_type == "Cast" and a.name == "to" and a.i == onnx.TensorProto.FLOAT:
                a.i = onnx.TensorProto.FLOAT16
    for v in list(model.graph.input) + list(model.graph.output) + list(model.graph.value_info):
        if v.type.tensor_type.elem_type == onnx.TensorProto.FLOAT:
            v.type.tensor_type.elem_type = onnx.TensorProto.FLOAT16
    onnx.save(model, path)


def write_safetensors(path, tensors):
    header, offset, blobs = {}, 0, []
    for name in sorted(tensors):
        t = tensors[name].detach().contiguous()
        kind = {torch.float32: "F32", torch.int64: "I64"}[t.dtype]
        blob = t.numpy().tobytes()
        header[name] = dict(dtype=kind, shape=list(t.shape), data_offsets=[offset, offset + len(blob)])
        offset += len(blob)
        blobs.append(blob)
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text + b"".join(blobs))


def batches(c):
    g = torch.Generator().manual_seed(7)
    shape = (3, 11)
    ids = torch.randint(0, c["V"], shape, generator=g)
    plain = dict(input_ids=ids, labels=ids.clone(), attention_mask=torch.ones(shape, dtype=torch.int64))
    plain["labels"][0, 4] = -100
    right = {k: v.clone() for k, v in plain.items()}
    for row, n in ((1, 3), (2, 6)):
        right["labels"][row, -n:] = -100
        right["attention_mask"][row, -n:] = 0
    return dict(plain=plain, rightpad=right)


def loss_of(logits, labels):
    v = logits.size(-1)
    return F.cross_entropy(logits[:, :-1].reshape(-1, v), labels[:, 1:].reshape(-1), ignore_index=-100)


def build(name, c, out):
    torch.manual_seed(sum(map(ord, name)))
    model = Gpt2(c)
    with torch.no_grad():
        for key, p in model.named_parameters():
            p.normal_(0, 0.2 if p.dim() > 1 else 0.05)
            if "ln_" in key and key.endswith("weight"):
                p.add_(1)
            if c["half"]:
                p.copy_(p.half().float())
    exact = Gpt2(c).double().eval()
    exact.load_state_dict(model.state_dict())
    tensors, cases = {}, {}
    for case, b in batches(c).items():
        args = (b["input_ids"], b["attention_mask"]) if c["mask"] else (b["input_ids"],)
        exact.zero_grad()
        logits = exact(*args)
        loss = loss_of(logits, b["labels"])
        loss.backward()
        tensors[f"{case}/in/input_ids"] = b["input_ids"]
        if c["mask"]:
            tensors[f"{case}/in/attention_mask"] = b["attention_mask"]
        tensors[f"{case}/labels"] = b["labels"]
        tensors[f"{case}/out64/logits"] = logits.float()
        norms = {}
        for key, p in exact.named_parameters():
            norms[key] = p.grad.norm().item()
            if case == "rightpad":
                tensors[f"{case}/grad64/{key}"] = p.grad.float()
        cases[case] = dict(loss64=loss.item(), grad_norm64=norms)
    model.train(c["train"])
    graphs = "half" if c["half"] else "graphs"
    os.makedirs(f"{out}/{graphs}", exist_ok=True)
    os.makedirs(f"{out}/golden/{name}", exist_ok=True)
    path = f"{out}/{graphs}/{name}.onnx"
    b = batches(c)["plain"]
    args = (b["input_ids"], b["attention_mask"]) if c["mask"] else (b["input_ids"],)
    names = ["input_ids", "attention_mask"][:len(args)]
    axes = {n: {0: "batch", 1: "sequence"} for n in names + ["logits"]} if c["dynamic"] else None
    mode = torch.onnx.TrainingMode.TRAINING if c["train"] else torch.onnx.TrainingMode.EVAL
    torch.onnx.export(model, args, path, input_names=names, output_names=["logits"], dynamic_axes=axes,
                      opset_version=c["opset"], do_constant_folding=c["fold"], training=mode,
                      keep_initializers_as_inputs=c["keep"])
    import onnx
    from onnx import numpy_helper
    if c["half"]:
        halve(path)
    graph = onnx.load(path).graph
    state = {k: v.float() for k, v in model.named_parameters()}
    mapped = {}
    for i in graph.initializer:
        a = torch.from_numpy(numpy_helper.to_array(i).copy())
        if not a.is_floating_point():
            continue
        for key, p in state.items():
            if a.shape == p.shape and torch.allclose(a.float(), p, atol=1e-3 * c["half"], rtol=1e-3 * c["half"]):
                mapped[i.name] = [key, "same"]
                break
            if a.dim() == 2 and a.t().shape == p.shape and torch.allclose(a.t().float(), p, atol=1e-3 * c["half"], rtol=1e-3 * c["half"]):
                mapped[i.name] = [key, "transposed"]
                break
    write_safetensors(f"{out}/golden/{name}/data.safetensors", tensors)
    held = {v[0] for v in mapped.values()}
    index = dict(cases=cases, note="PyTorch 1.13; see tests/Fixtures/export_gpt2.py",
                 data=f"golden/{name}/data.safetensors", initializer_to_param=mapped,
                 params_without_own_initializer=[k for k in state if k not in held])
    json.dump(index, open(f"{out}/golden/{name}/index.json", "w"), indent=1)
    print(name, os.path.getsize(path), len(graph.node), [i.name for i in graph.input][:4], index["params_without_own_initializer"])


if __name__ == "__main__":
    for name, changes in MODELS.items():
        if len(sys.argv) < 3 or name in sys.argv[2:]:
            try:
                build(name, {**BASE, **changes}, sys.argv[1])
            except Exception as e:
                print(name, "FAILED", type(e).__name__, str(e)[:300])
