"""Fine-tunes the encoder of the dissatisfaction classifier: once a fold, for scores out of fold, and once on everything.

usage: train_encoder.py EXCHANGES ONNX TOKENIZER OUT

EXCHANGES  JSON lines: conversation, turn, label, rubric, target (probability of each label), weight, fold, prompt, reply,
           userTurn
ONNX       bge-small-en-v1.5 as ONNX in fp32, with TOKENIZER, its tokenizer.json
OUT        directory: gets encoder.onnx (int8) and scores.jsonl (out of fold, by the int8 file of that fold)
"""

import json
import pathlib
import random
import sys
import time

import numpy as np
import onnxruntime
import torch
import torch.nn.functional as F
import transformers.utils.import_utils

from encoder import Encoder, load_pretrained, numpy_state
from encoder_input import EncoderInput
from onnx_file import write_onnx

RUBRICS = ["not-working", "factual-error", "revision", "ignored-instruction", "detail", "style", "complaint", "refusal", "other"]
FOLDS = 5
FROZEN = 6
EPOCHS = 1.5
BATCH = 32
LEARNING_RATE = 1e-4
#: The heads start from noise.
HEAD_RATE = 3e-4
WARM_UP = 0.1
#: What naming the reason counts beside the label.
RUBRIC_WEIGHT = 0.4
SEED = 0

# The wheel's CUDA build asks the driver, which is not there.
torch.cuda.is_current_stream_capturing = lambda: False
transformers.utils.import_utils.is_cuda_stream_capturing = lambda: False


class Row:
    def __init__(self, exchange: dict, ids: list[int], segments: list[int]):
        self.exchange, self.ids, self.segments = exchange, ids, segments
        self.below: torch.Tensor | None = None
        self.target = torch.tensor(exchange["target"])
        self.weight = exchange["weight"]
        self.rubric = RUBRICS.index(exchange["rubric"] or "other") if exchange["label"] == "dsat" else -100


def batches(rows: list[Row], rng: random.Random) -> list[list[Row]]:
    """In random order, each of rows about as long."""
    shuffled = rng.sample(rows, len(rows))
    chunks = [sorted(shuffled[at : at + 16 * BATCH], key=lambda row: len(row.ids)) for at in range(0, len(rows), 16 * BATCH)]
    found = [chunk[at : at + BATCH] for chunk in chunks for at in range(0, len(chunk), BATCH)]
    return rng.sample(found, len(found))


def mask_of(rows: list[Row]) -> torch.Tensor:
    lengths = torch.tensor([len(row.ids) for row in rows])
    return (torch.arange(int(lengths.max())) < lengths[:, None])[:, None, None, :]


def compute_below(encoder: Encoder, rows: list[Row]) -> None:
    """Hidden states under the layers that learn, once for all folds and epochs (bf16)."""
    encoder.eval()
    for part in batches(rows, random.Random(SEED)):
        longest = max(len(row.ids) for row in part)
        padded = [torch.tensor([values + [0] * (longest - len(values)) for values in of]) for of in ([r.ids for r in part], [r.segments for r in part])]
        with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
            below = encoder.below(*padded, mask_of(part)).bfloat16()
        for row, states in zip(part, below, strict=True):
            row.below = states[: len(row.ids)].clone()


def optimizer_of(encoder: Encoder) -> torch.optim.Optimizer:
    groups = []
    for name, parameter in encoder.named_parameters():
        if parameter.requires_grad:
            rate = HEAD_RATE if name.startswith(("labels", "rubrics")) else LEARNING_RATE
            groups.append({"params": [parameter], "lr": rate, "full": rate, "weight_decay": 0.01 if parameter.ndim > 1 else 0.0})
    return torch.optim.AdamW(groups, foreach=True)


def train(onnx_file: str, rows: list[Row], say) -> Encoder:
    torch.manual_seed(SEED)
    rng = random.Random(SEED)
    encoder = Encoder(FROZEN)
    load_pretrained(encoder, onnx_file)
    optimizer = optimizer_of(encoder)
    steps = int(-(-len(rows) // BATCH) * EPOCHS)
    step = 0
    encoder.train()
    while step < steps:
        for part in batches(rows, rng)[: steps - step]:
            rate = min(1, (step + 1) / (steps * WARM_UP)) * (1 - step / steps)
            for group in optimizer.param_groups:
                group["lr"] = group["full"] * rate
            loss = loss_of(encoder, part)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(encoder.parameters(), 1.0)
            optimizer.step()
            step += 1
            if step % 50 == 0:
                say(f"step {step} of {steps}, loss {loss.item():.3f}")
    return encoder


def loss_of(encoder: Encoder, rows: list[Row]) -> torch.Tensor:
    below = torch.nn.utils.rnn.pad_sequence([row.below for row in rows], batch_first=True)
    with torch.autocast("cpu", torch.bfloat16):
        labels, rubrics = encoder(below, mask_of(rows))
    target = torch.stack([row.target for row in rows])
    reasons = torch.tensor([row.rubric for row in rows])
    weights = torch.tensor([row.weight for row in rows])
    loss = -((target * F.log_softmax(labels, -1)).sum(-1) * weights).sum() / weights.sum()
    if (reasons >= 0).any():
        loss = loss + RUBRIC_WEIGHT * F.cross_entropy(rubrics, reasons) * (reasons >= 0).float().mean()
    return loss


def scores_of(path: str, rows: list[Row]) -> list[dict]:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(path, options)
    scores = []
    for row in rows:
        inputs = {"ids": np.array([row.ids]), "segments": np.array([row.segments])}
        labels, rubrics = ([round(float(score), 3) for score in row] for (row,) in session.run(["labels", "rubrics"], inputs))
        where = {key: row.exchange[key] for key in ("conversation", "turn")}
        scores.append({**where, "labels": labels, "rubrics": rubrics})
    return scores


def main(exchanges: str, onnx_file: str, tokenizer: str, out: str) -> None:
    started = time.monotonic()

    def say(what: str) -> None:
        print(f"{time.monotonic() - started:.0f} s: {what}", file=sys.stderr, flush=True)

    read = EncoderInput(tokenizer)
    with open(exchanges, encoding="utf-8") as lines:
        rows = [Row(exchange, *read(exchange)) for exchange in map(json.loads, lines)]
    base = Encoder(FROZEN)
    load_pretrained(base, onnx_file)
    say(f"{len(rows)} exchanges; computing what the lower {FROZEN} layers make of them")
    compute_below(base, rows)
    directory = pathlib.Path(out)
    directory.mkdir(parents=True, exist_ok=True)
    scores = []
    for fold in range(FOLDS):
        others = [row for row in rows if row.exchange["fold"] != fold]
        encoder = train(onnx_file, others, lambda what: say(f"fold {fold + 1} of {FOLDS}, {what}"))
        path = str(directory / f"fold-{fold}.onnx")
        write_onnx(numpy_state(encoder), path)
        scores += scores_of(path, [row for row in rows if row.exchange["fold"] == fold])
        pathlib.Path(path).unlink()
    encoder = train(onnx_file, rows, lambda what: say(f"on everything, {what}"))
    write_onnx(numpy_state(encoder), str(directory / "encoder.onnx"))
    with open(directory / "scores.jsonl", "w", encoding="utf-8") as file:
        file.writelines(json.dumps(score) + "\n" for score in scores)
    say(f"wrote {directory / 'encoder.onnx'} and scores.jsonl")


if __name__ == "__main__":
    if len(sys.argv) != 5:
        sys.exit(__doc__)
    main(*sys.argv[1:])
