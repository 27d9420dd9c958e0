"""BERT with two linear heads over the mean of its last hidden states, as far as it is needed here."""

import numpy as np
import onnx
import torch
import torch.nn.functional as F
from onnx import numpy_helper
from torch import nn

HIDDEN, LAYERS, HEADS, INNER = 384, 12, 12, 1536
VOCABULARY, POSITIONS, SEGMENTS = 30_522, 512, 2
LABELS, RUBRICS = 3, 9
EPSILON = 1e-12
DROPOUT = 0.1


class Layer(nn.Module):
    def __init__(self):
        super().__init__()
        self.qkv = nn.Linear(HIDDEN, 3 * HIDDEN)
        self.out = nn.Linear(HIDDEN, HIDDEN)
        self.norm = nn.LayerNorm(HIDDEN, eps=EPSILON)
        self.inner = nn.Linear(HIDDEN, INNER)
        self.outer = nn.Linear(INNER, HIDDEN)
        self.last_norm = nn.LayerNorm(HIDDEN, eps=EPSILON)

    def forward(self, x: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """x [batch, tokens, hidden], mask [batch, 1, 1, tokens], true where a token is."""
        batch, tokens, _ = x.shape
        q, k, v = self.qkv(x).view(batch, tokens, 3, HEADS, HIDDEN // HEADS).permute(2, 0, 3, 1, 4)
        # Written out: on CPUs the gradient of torch's fused attention takes a third of a step.
        scores = (q @ k.transpose(2, 3) / (HIDDEN // HEADS) ** 0.5).masked_fill(~mask, float("-inf"))
        attended = (scores.softmax(-1).to(v.dtype) @ v).transpose(1, 2).reshape(x.shape)
        x = self.norm(x + F.dropout(self.out(attended), DROPOUT, self.training))
        return self.last_norm(x + F.dropout(self.outer(F.gelu(self.inner(x))), DROPOUT, self.training))


class Encoder(nn.Module):
    """The layers below `frozen` keep their weights: their output is computed once for each exchange (`below`)."""

    def __init__(self, frozen: int):
        super().__init__()
        self.frozen = frozen
        self.words = nn.Embedding(VOCABULARY, HIDDEN)
        self.positions = nn.Embedding(POSITIONS, HIDDEN)
        self.segments = nn.Embedding(SEGMENTS, HIDDEN)
        self.norm = nn.LayerNorm(HIDDEN, eps=EPSILON)
        self.layers = nn.ModuleList(Layer() for _ in range(LAYERS))
        self.labels = nn.Linear(HIDDEN, LABELS)
        self.rubrics = nn.Linear(HIDDEN, RUBRICS)
        for part in (self.words, self.positions, self.segments, self.norm, *self.layers[:frozen]):
            part.requires_grad_(False)

    def below(self, ids: torch.Tensor, segments: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """ids, segments [batch, tokens] -> hidden states [batch, tokens, hidden] under the layers that learn."""
        positions = self.positions.weight[: ids.shape[1]]
        x = self.norm(self.words(ids) + self.segments(segments) + positions)
        for layer in self.layers[: self.frozen]:
            x = layer(x, mask)
        return x

    def forward(self, below: torch.Tensor, mask: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """-> scores of the labels [batch, 3] and of the rubrics [batch, 9]."""
        x = below
        for layer in self.layers[self.frozen :]:
            x = layer(x, mask)
        there = mask[:, 0, 0, :, None].to(x.dtype)
        mean = (x * there).sum(1) / there.sum(1)
        mean = F.dropout(mean, DROPOUT, self.training)
        return self.labels(mean).float(), self.rubrics(mean).float()


def load_pretrained(encoder: Encoder, onnx_file: str) -> None:
    """Weights of bge-small-en-v1.5 from its ONNX export. Raises KeyError where the graph is another one."""
    graph = onnx.load(onnx_file).graph
    weights = {tensor.name: torch.tensor(numpy_helper.to_array(tensor)) for tensor in graph.initializer}
    for node in graph.node:  # a MatMul's weights have lost their name: it is that of the bias added behind it
        if node.op_type != "MatMul" or node.input[1] not in weights:
            continue
        add = next(other for other in graph.node if other.op_type == "Add" and node.output[0] in other.input)
        bias = next(name for name in add.input if name in weights)
        weights[bias.removesuffix("bias") + "weight"] = weights[node.input[1]].T
    state = {
        "words.weight": weights["embeddings.word_embeddings.weight"],
        "positions.weight": weights["embeddings.position_embeddings.weight"],
        "segments.weight": weights["embeddings.token_type_embeddings.weight"],
        "norm.weight": weights["embeddings.LayerNorm.weight"],
        "norm.bias": weights["embeddings.LayerNorm.bias"],
    }
    names = {
        "out": "attention.output.dense",
        "norm": "attention.output.LayerNorm",
        "inner": "intermediate.dense",
        "outer": "output.dense",
        "last_norm": "output.LayerNorm",
    }
    for at in range(LAYERS):
        theirs = f"encoder.layer.{at}."
        for kind in ("weight", "bias"):
            parts = [weights[f"{theirs}attention.self.{name}.{kind}"] for name in ("query", "key", "value")]
            state[f"layers.{at}.qkv.{kind}"] = torch.cat(parts)
            for ours, name in names.items():
                state[f"layers.{at}.{ours}.{kind}"] = weights[f"{theirs}{name}.{kind}"]
    missing, unexpected = encoder.load_state_dict(state, strict=False)
    heads = {f"{head}.{kind}" for head in ("labels", "rubrics") for kind in ("weight", "bias")}
    if set(missing) != heads or unexpected:
        raise KeyError(f"{onnx_file}: missing {set(missing) - heads}, unexpected {unexpected}")


def numpy_state(encoder: Encoder) -> dict[str, np.ndarray]:
    return {name: tensor.detach().float().numpy() for name, tensor in encoder.state_dict().items()}
