"""Writes the small random models beside this file, and what transformers computes with them, in fp32.

Run with the Python environment of `npm run check:interop`; seeds are fixed, so that it writes the same again.
"""

import json
import pathlib
import shutil

import torch
from transformers import LlamaConfig, LlamaForCausalLM, Qwen2Config, Qwen2ForCausalLM

HERE = pathlib.Path(__file__).parent
SIZE = dict(
    vocab_size=48,
    hidden_size=16,
    intermediate_size=24,
    num_hidden_layers=2,
    num_attention_heads=4,
    num_key_value_heads=2,
    max_position_embeddings=256,
    bos_token_id=1,
    eos_token_id=2,
    pad_token_id=2,
)
LLAMA3 = dict(
    rope_type="llama3",
    rope_theta=500.0,
    factor=8.0,
    low_freq_factor=1.0,
    high_freq_factor=4.0,
    original_max_position_embeddings=16,
)
LINEAR = dict(rope_type="linear", rope_theta=10000.0, factor=4.0)
# Name, model, dtype of the file, largest shard.
MODELS = [
    ("llama3", LlamaForCausalLM(LlamaConfig(**SIZE, rope_parameters=LLAMA3, attention_bias=True)), torch.float32, "9KB"),
    ("llama-linear", LlamaForCausalLM(LlamaConfig(**SIZE, rope_parameters=LINEAR, tie_word_embeddings=True, head_dim=8)), torch.float16, "1GB"),
    ("qwen2", Qwen2ForCausalLM(Qwen2Config(**SIZE)), torch.bfloat16, "1GB"),
    ("qwen2-tied", Qwen2ForCausalLM(Qwen2Config(**SIZE, tie_word_embeddings=True)), torch.float32, "1GB"),
]


def randomise(model: torch.nn.Module, generator: torch.Generator) -> None:
    """Large enough that the logits differ clearly; biases and norms too, which begin as zeros and ones."""
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            spread = 0.2 if "norm" in name or "bias" in name else 0.35
            parameter.copy_(torch.randn(parameter.shape, generator=generator) * spread + (1.0 if "norm" in name else 0.0))


def main() -> None:
    for number, (name, model, dtype, shard) in enumerate(MODELS):
        folder = HERE / name
        shutil.rmtree(folder, ignore_errors=True)
        generator = torch.Generator().manual_seed(number)
        randomise(model, generator)
        model.to(dtype).save_pretrained(folder, max_shard_size=shard)
        ids = torch.randint(3, SIZE["vocab_size"], (40,), generator=generator)
        # Read again: `to` rounds the frequencies of RoPE as well, which nobody who loads the file would do.
        loaded = type(model).from_pretrained(folder, dtype=torch.float32).eval()
        with torch.no_grad():
            logits = loaded(ids[None]).logits[0, ::3]
        expected = {"ids": ids.tolist(), "rows": list(range(0, 40, 3)), "logits": [[round(x, 5) for x in row] for row in logits.tolist()]}
        (folder / "expected.json").write_text(json.dumps(expected) + "\n")


if __name__ == "__main__":
    main()
