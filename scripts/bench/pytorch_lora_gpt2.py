"""The yardstick of `ortpeft bench`: one LoRA training step of GPT-2 in plain PyTorch, timed.

The model does what Hugging Face's GPT-2 does, operation by operation where it costs time or memory, and the adapter what
HF PEFT's LoRA layer does on `c_attn`. GELU is computed by its formula, as transformers' `gelu_new` is: eight element-wise
operations, each of which writes a tensor. `--fused-gelu` takes PyTorch's single kernel instead, which is faster and
keeps less for the backward pass, but is not what the checkpoints' configuration asks for. Nothing but the adapters has a
gradient. Weights and tokens are random: the time of a step does not depend on them.
Runs on PyTorch 1.13 and later; prints one line of JSON. README.md beside this file says how to compare fairly.
"""

import argparse
import json
import math
import resource
import statistics
import time

import torch
from torch import nn
from torch.nn import functional as F

PRESETS = {  # layers, heads, width, context, vocabulary
    "tiny": (4, 4, 128, 128, 2048),
    "gpt2": (12, 12, 768, 1024, 50257),
    "gpt2-medium": (24, 16, 1024, 1024, 50257),
    "gpt2-large": (36, 20, 1280, 1024, 50257),
    "gpt2-xl": (48, 25, 1600, 1024, 50257),
}


class Conv1D(nn.Module):
    """Hugging Face's linear layer of GPT-2: the weight lies as [in, out]."""

    def __init__(self, inputs, outputs):
        super().__init__()
        self.outputs = outputs
        self.weight = nn.Parameter(torch.empty(inputs, outputs).normal_(std=0.02))
        self.bias = nn.Parameter(torch.zeros(outputs))

    def forward(self, x):
        flat = torch.addmm(self.bias, x.reshape(-1, x.size(-1)), self.weight)
        return flat.view(x.shape[:-1] + (self.outputs,))


class LoraConv1D(nn.Module):
    """y = base(x) + (x Aᵀ) Bᵀ · alpha / r, with B zero at the start."""

    def __init__(self, base, rank, alpha):
        super().__init__()
        inputs, outputs = base.weight.shape
        self.base = base
        self.lora_A = nn.Parameter(torch.empty(rank, inputs))
        self.lora_B = nn.Parameter(torch.zeros(outputs, rank))
        self.scale = alpha / rank
        nn.init.kaiming_uniform_(self.lora_A, a=math.sqrt(5))

    def forward(self, x):
        return self.base(x) + F.linear(F.linear(x, self.lora_A), self.lora_B) * self.scale


class Attention(nn.Module):
    def __init__(self, heads, width, context, rank, alpha):
        super().__init__()
        self.heads = heads
        self.c_attn = LoraConv1D(Conv1D(width, 3 * width), rank, alpha)
        self.c_proj = Conv1D(width, width)
        ones = torch.ones(context, context, dtype=torch.bool)
        self.register_buffer("future", torch.triu(ones, diagonal=1), persistent=False)

    def forward(self, x):
        batch, length, width = x.shape
        split = (part.view(batch, length, self.heads, -1).transpose(1, 2) for part in self.c_attn(x).split(width, 2))
        query, key, value = split
        scores = (query @ key.transpose(-2, -1)) * (1.0 / math.sqrt(key.size(-1)))
        scores = scores.masked_fill(self.future[:length, :length], float("-inf"))
        mixed = F.softmax(scores, dim=-1) @ value
        return self.c_proj(mixed.transpose(1, 2).reshape(batch, length, width))


def gelu_by_formula(x):
    """0.5 x (1 + tanh(√(2/π) (x + 0.044715 x³))), as Hugging Face's GPT-2 computes it."""
    return 0.5 * x * (1.0 + torch.tanh(math.sqrt(2.0 / math.pi) * (x + 0.044715 * torch.pow(x, 3.0))))


def gelu_in_one_kernel(x):
    return F.gelu(x, approximate="tanh")


class Block(nn.Module):
    def __init__(self, heads, width, context, rank, alpha, gelu):
        super().__init__()
        self.ln_1 = nn.LayerNorm(width)
        self.attn = Attention(heads, width, context, rank, alpha)
        self.ln_2 = nn.LayerNorm(width)
        self.c_fc = Conv1D(width, 4 * width)
        self.c_proj = Conv1D(4 * width, width)
        self.gelu = gelu

    def forward(self, x):
        x = x + self.attn(self.ln_1(x))
        return x + self.c_proj(self.gelu(self.c_fc(self.ln_2(x))))


class Gpt2(nn.Module):
    def __init__(self, layers, heads, width, context, vocabulary, rank, alpha, gelu):
        super().__init__()
        self.wte = nn.Embedding(vocabulary, width)
        self.wpe = nn.Embedding(context, width)
        nn.init.normal_(self.wte.weight, std=0.02)
        nn.init.normal_(self.wpe.weight, std=0.02)
        self.blocks = nn.ModuleList(Block(heads, width, context, rank, alpha, gelu) for _ in range(layers))
        self.ln_f = nn.LayerNorm(width)
        for name, parameter in self.named_parameters():
            parameter.requires_grad_("lora_" in name)

    def forward(self, tokens, labels):
        x = self.wte(tokens) + self.wpe(torch.arange(tokens.size(1)))
        for block in self.blocks:
            x = block(x)
        logits = F.linear(self.ln_f(x), self.wte.weight)  # at every position, as Hugging Face's model does
        ahead = F.pad(labels, (0, 1), value=-100)[:, 1:]  # labels move, not the much larger logits
        return F.cross_entropy(logits.view(-1, logits.size(-1)), ahead.reshape(-1), ignore_index=-100)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--preset", choices=PRESETS, default="gpt2")
    for name, position in (("layers", 0), ("heads", 1), ("width", 2), ("context", 3), ("vocabulary", 4)):
        parser.add_argument(f"--{name}", type=int, help=f"instead of the preset's (gpt2: {PRESETS['gpt2'][position]})")
    parser.add_argument("--batch-size", type=int, default=4)
    parser.add_argument("--seq-len", type=int, default=128)
    parser.add_argument("--rank", type=int, default=8)
    parser.add_argument("--alpha", type=float, default=16)
    parser.add_argument("--steps", type=int, default=20, help="steps that are timed")
    parser.add_argument("--warmup", type=int, default=3, help="steps before them that are not")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--supervised", type=float, default=1.0, help="fraction of each row, its end, that has labels")
    parser.add_argument("--fused-gelu", action="store_true", help="GELU in PyTorch's single kernel, not by its formula")
    return parser.parse_args()


def sizes(args):
    given = (args.layers, args.heads, args.width, args.context, args.vocabulary)
    return [preset if own is None else own for own, preset in zip(given, PRESETS[args.preset])]


def data(args, vocabulary):
    tokens = torch.randint(vocabulary, (args.batch_size, args.seq_len))
    labels = tokens.clone()
    labels[:, : args.seq_len - max(1, round(args.seq_len * args.supervised))] = -100
    return tokens, labels


def train_step(model, optimizer, tokens, labels):
    loss = model(tokens, labels)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(optimizer.param_groups[0]["params"], 1.0)
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)
    return loss.item()


def main():
    args = arguments()
    torch.set_num_threads(args.threads)
    torch.manual_seed(0)

    started = time.perf_counter()
    gelu = gelu_in_one_kernel if args.fused_gelu else gelu_by_formula
    model = Gpt2(*sizes(args), args.rank, args.alpha, gelu)
    trainable = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(trainable, lr=1e-4)
    load_seconds = time.perf_counter() - started

    tokens, labels = data(args, model.wte.num_embeddings)
    seconds = []
    for _ in range(args.warmup + args.steps):
        started = time.perf_counter()
        loss = train_step(model, optimizer, tokens, labels)
        seconds.append(time.perf_counter() - started)

    timed = seconds[args.warmup:]
    median = statistics.median(timed)
    print(json.dumps({
        "ms_per_step_median": round(1e3 * median, 2),
        "ms_per_step_min": round(1e3 * min(timed), 2),
        "tokens_per_second": round(tokens.numel() / median, 1),
        "peak_rss_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
        "load_seconds": round(load_seconds, 3),
        "first_step_seconds": round(seconds[0], 3),
        "last_loss": round(loss, 4),
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "trainable_parameters": sum(parameter.numel() for parameter in trainable),
        "gelu": "fused" if args.fused_gelu else "formula",
        "torch": torch.__version__,
        "threads": torch.get_num_threads(),
    }))


if __name__ == "__main__":
    main()
