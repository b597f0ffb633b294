"""LlamaForCausalLM, as small as it gets, and the start that lets it learn to look things up."""
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import nn


@dataclass
class Config:
    vocab: int = 2048
    hidden: int = 256
    layers: int = 6
    heads: int = 4
    kv_heads: int = 2
    head_dim: int = 64
    ff: int = 512
    theta: float = 1e5
    positions: int = 4096
    eps: float = 1e-5


class RMSNorm(nn.Module):
    def __init__(self, size: int, eps: float):
        super().__init__()
        self.weight, self.eps = nn.Parameter(torch.ones(size)), eps

    def forward(self, x):
        x = x.float()
        return x * torch.rsqrt(x.square().mean(-1, keepdim=True) + self.eps) * self.weight


def rotate(x, cos, sin):
    """Rotary embedding in halves: dimension i turns with dimension i + head_dim / 2."""
    a, b = x.float().chunk(2, -1)
    return torch.cat((a * cos - b * sin, b * cos + a * sin), -1).to(x.dtype)


class Attention(nn.Module):
    def __init__(self, c: Config):
        super().__init__()
        self.c = c
        self.q_proj = nn.Linear(c.hidden, c.heads * c.head_dim, bias=False)
        self.k_proj = nn.Linear(c.hidden, c.kv_heads * c.head_dim, bias=False)
        self.v_proj = nn.Linear(c.hidden, c.kv_heads * c.head_dim, bias=False)
        self.o_proj = nn.Linear(c.heads * c.head_dim, c.hidden, bias=False)

    def forward(self, x, cos, sin, cache=None):
        c, (b, t, _) = self.c, x.shape
        split = lambda y, n: y.view(b, t, n, c.head_dim).transpose(1, 2)
        q = rotate(split(self.q_proj(x), c.heads), cos, sin)
        k = rotate(split(self.k_proj(x), c.kv_heads), cos, sin)
        v = split(self.v_proj(x), c.kv_heads)
        if cache is not None:
            k, v = cache.extend(self, k, v)
        group = c.heads // c.kv_heads
        k, v = k.repeat_interleave(group, 1), v.repeat_interleave(group, 1)
        y = F.scaled_dot_product_attention(q, k, v, is_causal=t > 1)
        return self.o_proj(y.transpose(1, 2).reshape(b, t, -1))


class MLP(nn.Module):
    def __init__(self, c: Config):
        super().__init__()
        self.gate_proj = nn.Linear(c.hidden, c.ff, bias=False)
        self.up_proj = nn.Linear(c.hidden, c.ff, bias=False)
        self.down_proj = nn.Linear(c.ff, c.hidden, bias=False)

    def forward(self, x):
        return self.down_proj(F.silu(self.gate_proj(x)) * self.up_proj(x))


class Layer(nn.Module):
    def __init__(self, c: Config):
        super().__init__()
        self.input_layernorm, self.self_attn = RMSNorm(c.hidden, c.eps), Attention(c)
        self.post_attention_layernorm, self.mlp = RMSNorm(c.hidden, c.eps), MLP(c)

    def forward(self, x, cos, sin, cache=None):
        x = x + self.self_attn(self.input_layernorm(x), cos, sin, cache)
        return x + self.mlp(self.post_attention_layernorm(x))


class Llama(nn.Module):
    """Parameter names are those of Hugging Face's LlamaForCausalLM without the leading `model.`."""

    def __init__(self, c: Config = Config()):
        super().__init__()
        self.c = c
        self.embed_tokens = nn.Embedding(c.vocab, c.hidden)
        self.layers = nn.ModuleList(Layer(c) for _ in range(c.layers))
        self.norm = RMSNorm(c.hidden, c.eps)
        angles = torch.outer(torch.arange(c.positions).float(), frequencies(c))
        self.register_buffer("cos", angles.cos(), persistent=False)
        self.register_buffer("sin", angles.sin(), persistent=False)

    def forward(self, ids, positions, cache=None):
        """ids, positions [batch, time] -> normalised hidden states."""
        x = self.embed_tokens(ids)
        cos, sin = self.cos[positions][:, None], self.sin[positions][:, None]
        for layer in self.layers:
            x = layer(x, cos, sin, cache)
        return self.norm(x)

    def logits(self, hidden):
        return hidden.to(self.embed_tokens.weight.dtype) @ self.embed_tokens.weight.T


class Cache:
    """Keys and values of every layer, grown at the end."""

    def __init__(self):
        self.parts = {}

    def extend(self, layer, k, v):
        if layer in self.parts:
            k, v = (torch.cat(pair, 2) for pair in zip(self.parts[layer], (k, v)))
        self.parts[layer] = (k, v)
        return k, v


def frequencies(c: Config):
    return c.theta ** (-torch.arange(0, c.head_dim, 2).float() / c.head_dim)


# --- the start -----------------------------------------------------------------------------------

EMBEDDING_NORM, CONSTANT = 4.0, 0.75    # every row of the embedding has this norm and this constant in channel 0
LOOK_BACK = {0: (1, 2, 3, 4), 1: (4, 8)}  # layer -> how far its first heads look back at the start
FAST, PEAK = 8, 60.0                    # on how many of the fastest pairs, each giving q.k this much


@torch.no_grad()
def initialise(model: Llama, seed: int):
    c, g = model.c, torch.Generator().manual_seed(seed)
    normal = lambda w, std: w.normal_(0, std, generator=g)
    for layer in model.layers:
        a, m = layer.self_attn, layer.mlp
        for w in (a.q_proj, a.k_proj, a.v_proj, m.gate_proj, m.up_proj):
            normal(w.weight, c.hidden ** -0.5)
        normal(a.o_proj.weight, 0.25 * c.hidden ** -0.5)
        normal(m.down_proj.weight, 0.1 * c.ff ** -0.5)
        a.o_proj.weight[0] = 0          # nobody writes into the constant's channel yet
        m.down_proj.weight[0] = 0
    e = normal(model.embed_tokens.weight, 1.0)
    e[:, 0] = 0
    e *= (EMBEDDING_NORM ** 2 - CONSTANT ** 2) ** 0.5 / e.norm(dim=1, keepdim=True)
    e[:, 0] = CONSTANT
    model.norm.weight.fill_(0.25)
    probe = torch.randint(c.vocab, (4, 64), generator=g)
    for index, offsets in LOOK_BACK.items():
        look_back(model, index, offsets, probe)


@torch.no_grad()
def look_back(model: Llama, index: int, offsets, probe):
    """Let head h of the layer attend exactly offsets[h] tokens back.

    The fastest rotary pairs see nothing but the constant channel: the key with phase 0, the query with phase
    -offset * frequency. Their product is greatest where key and query are `offset` apart.
    """
    c = model.c
    x = model.embed_tokens(probe)
    positions = torch.arange(probe.shape[1]).expand_as(probe)
    cos, sin = model.cos[positions][:, None], model.sin[positions][:, None]
    for layer in model.layers[:index]:
        x = layer(x, cos, sin)
    attention = model.layers[index].self_attn
    amplitude = PEAK ** 0.5 / model.layers[index].input_layernorm(x)[..., 0].mean()
    f, half, group = frequencies(c)[:FAST], c.head_dim // 2, c.heads // c.kv_heads
    q = attention.q_proj.weight.view(c.heads, c.head_dim, c.hidden)
    k = attention.k_proj.weight.view(c.kv_heads, c.head_dim, c.hidden)
    for head, offset in enumerate(offsets):
        for w, phase in ((q[head], -offset * f), (k[head // group], 0 * f)):
            w[:FAST] = 0
            w[half:half + FAST] = 0
            w[:FAST, 0] = amplitude * phase.cos()
            w[half:half + FAST, 0] = amplitude * phase.sin()
