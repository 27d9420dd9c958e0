"""Samples with transformers' generate, in batches of at most 32.

usage: transformers_generate.py SETTINGS, a JSON object: "model" (directory), "prompts" (lists of as many ids each),
"samples" (completions of each prompt), "lengths" (tokens that each completion gets), "dtype" (fp32, bf16), "repeats",
"threads". Prints one JSON object: set-up, a first run of one token each, the runs' seconds and tokens, peak memory.
"""

import json
import os
import resource
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import cpu_torch  # noqa: F401, before torch

import torch
from transformers import AutoModelForCausalLM, StoppingCriteria, StoppingCriteriaList

BATCH = 32
DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16}


class OwnLengths(StoppingCriteria):
    """Each sequence ends at its own length, as it would by its EOS; the batch goes on until the last has ended."""

    def __init__(self, prompt: int, lengths: list[int]):
        self.ends = prompt + torch.tensor(lengths)

    def __call__(self, input_ids, scores, **kwargs):
        return input_ids.shape[1] >= self.ends


class Stopwatch:
    def __init__(self):
        self.wall, self.cpu = time.perf_counter(), time.process_time()

    def read(self) -> dict:
        return {"wall": time.perf_counter() - self.wall, "cpu": time.process_time() - self.cpu}


def generate(model, settings: dict, lengths: list[int]) -> dict:
    samples, prompts = settings["samples"], settings["prompts"]
    watch = Stopwatch()
    for start in range(0, len(lengths), BATCH):
        batch = lengths[start : start + BATCH]
        rows = torch.tensor(prompts[start // samples : (start + len(batch)) // samples])
        model.generate(
            rows,
            attention_mask=torch.ones_like(rows),
            do_sample=True,
            temperature=0.7,
            top_k=0,
            top_p=1.0,
            num_return_sequences=samples,
            eos_token_id=None,
            pad_token_id=0,
            max_new_tokens=max(batch),
            stopping_criteria=StoppingCriteriaList([OwnLengths(rows.shape[1], batch)]),
        )
    return {**watch.read(), "tokens": sum(lengths)}


def main(settings: dict) -> dict:
    setup = Stopwatch()
    torch.set_num_threads(settings["threads"])
    torch.manual_seed(0)
    model = AutoModelForCausalLM.from_pretrained(settings["model"], dtype=DTYPES[settings["dtype"]]).eval()
    model.generation_config.eos_token_id = None
    took = setup.read()
    lengths = settings["lengths"]
    first = generate(model, settings, [1] * len(lengths))
    runs = [generate(model, settings, lengths) for _ in range(settings["repeats"])]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return {"setup": took, "first": first, "runs": runs, "peakBytes": peak}


if __name__ == "__main__":
    print(json.dumps(main(json.loads(sys.argv[1]))))
