"""Loads what Driftloop wrote with Hugging Face's own code, and compares what both compute.

usage: check_interop.py CASE_FILE; a case is {"name", "dir", "base" (adapters only), "scores", "tokenizer"}:
scores is a JSONL of prompt_ids, completion_ids and Driftloop's logprobs; tokenizer a JSON list of texts and ids.
Prints one JSON object a case; its `failures` is empty when all agrees.
"""

import json
import os
import sys

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["CUDA_VISIBLE_DEVICES"] = ""

import torch
import transformers
from transformers import AutoModelForCausalLM, AutoTokenizer

# Without a CUDA runtime these two calls reach into the empty libraries.
torch.cuda.is_current_stream_capturing = lambda: False
transformers.utils.import_utils.is_cuda_stream_capturing = lambda: False

LOGPROB_TOLERANCE = 1e-3


def load(case: dict) -> tuple[torch.nn.Module, list[str]]:
    source = case.get("base") or case["dir"]
    model, info = AutoModelForCausalLM.from_pretrained(source, dtype=torch.float32, output_loading_info=True)
    problems = [f"{kind}: {sorted(info[kind])[:5]}" for kind in ("missing_keys", "unexpected_keys", "mismatched_keys") if info[kind]]
    if case.get("base"):
        from peft import PeftModel

        model = PeftModel.from_pretrained(model, case["dir"])
    return model.eval(), problems


def logprobs(model: torch.nn.Module, prompt: list[int], completion: list[int]) -> list[float]:
    with torch.no_grad():
        logits = model(torch.tensor([prompt + completion])).logits[0, len(prompt) - 1 : -1]
    return torch.log_softmax(logits, -1).gather(1, torch.tensor(completion)[:, None])[:, 0].tolist()


def check_scores(model: torch.nn.Module, file: str) -> tuple[float, list[str]]:
    worst = 0.0
    with open(file, encoding="utf-8") as lines:
        for row in map(json.loads, lines):
            theirs = logprobs(model, row["prompt_ids"], row["completion_ids"])
            worst = max(worst, *(abs(a - b) for a, b in zip(theirs, row["logprobs"], strict=True)))
    return worst, [] if worst <= LOGPROB_TOLERANCE else [f"log-probabilities differ by {worst}"]


def check_tokenizer(tokenizer, file: str) -> list[str]:
    with open(file, encoding="utf-8") as source:
        rows = json.load(source)
    wrong = [row["text"] for row in rows if tokenizer(row["text"], add_special_tokens=False)["input_ids"] != row["ids"]]
    return [f"{len(wrong)} of {len(rows)} texts tokenise differently, first {wrong[0]!r}"] if wrong else []


def generate(model: torch.nn.Module, tokenizer) -> str:
    messages = [{"role": "user", "content": "What is the capital of France?"}]
    inputs = tokenizer.apply_chat_template(messages, add_generation_prompt=True, return_tensors="pt", return_dict=True)
    output = model.generate(**inputs, max_new_tokens=24, do_sample=False)
    return tokenizer.decode(output[0, inputs["input_ids"].shape[1] :], skip_special_tokens=True)


def check(case: dict) -> dict:
    model, failures = load(case)
    tokenizer = AutoTokenizer.from_pretrained(case.get("base") or case["dir"])
    worst, wrong = check_scores(model, case["scores"])
    failures += wrong + check_tokenizer(tokenizer, case["tokenizer"])
    text = generate(model, tokenizer)
    if not text.strip():
        failures.append("generates nothing")
    return {"name": case["name"], "logprobError": worst, "generated": text, "failures": failures}


if __name__ == "__main__":
    with open(sys.argv[1], encoding="utf-8") as source:
        for case in json.load(source):
            print(json.dumps(check(case)), flush=True)
