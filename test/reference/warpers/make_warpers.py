"""Writes what transformers makes of a row of logits under several settings.

Run with the Python environment of `npm run check:interop`.
"""

import json
import pathlib

import torch
from transformers import GenerationConfig, LlamaConfig, LlamaForCausalLM

VOCAB = 40
SETTINGS = [
    {"temperature": 0.7},
    {"temperature": 1.3, "top_k": 5},
    {"temperature": 1.0, "top_p": 0.9},
    {"temperature": 0.7, "top_p": 0.6},
    {"temperature": 0.9, "min_p": 0.2},
    {"temperature": 1.5, "top_k": 12, "top_p": 0.8, "min_p": 0.15},
    {"temperature": 1.0, "repetition_penalty": 1.3},
    {"temperature": 0.8, "top_k": 6, "top_p": 0.95, "min_p": 0.05, "repetition_penalty": 1.8},
]


def probabilities(model, settings: dict, ids: torch.Tensor, logits: torch.Tensor) -> list[float]:
    config = GenerationConfig(**{"do_sample": True, "top_k": 0, **settings})
    # The model's own choice and order of processors.
    processors = model._get_logits_processor(config, input_ids_seq_length=ids.shape[1], device="cpu")
    return torch.softmax(processors(ids, logits.clone()), -1)[0].tolist()


def main() -> None:
    generator = torch.Generator().manual_seed(1)
    model = LlamaForCausalLM(LlamaConfig(vocab_size=VOCAB, hidden_size=8, intermediate_size=8, num_hidden_layers=1, num_attention_heads=1))
    rows = []
    for settings in SETTINGS:
        logits = torch.randn((1, VOCAB), generator=generator) * 2.5
        ids = torch.randint(0, VOCAB, (1, 12), generator=generator)
        expected = probabilities(model, settings, ids, logits)
        rows.append({"settings": settings, "ids": ids[0].tolist(), "logits": logits[0].tolist(), "probabilities": expected})
    pathlib.Path(__file__).with_name("warpers.json").write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()
