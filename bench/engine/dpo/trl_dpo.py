"""TRL's DPOTrainer on tokenised pairs, in file order.

usage: trl_dpo.py SETTINGS, a JSON object: "model" (directory), "threads", "pairs" (file), "count", "batchSize",
"dtype" (fp32, autocast), "lora" (rank or null), "stock" (everything as TRL does it by itself: the reference computed in every
step, logits at every position). Prints one JSON object: set-up, each step's seconds and loss, peak memory.
"""

import json
import os
import resource
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import cpu_torch  # noqa: F401, before torch

import torch
import transformers
import trl
import trl.trainer.utils
from datasets import Dataset
from transformers import AutoModelForCausalLM, AutoTokenizer, TrainerCallback
from trl import DPOConfig, DPOTrainer


class TokenisedTrainer(DPOTrainer):
    """Takes the pairs as they are, in the order in which they come."""

    def _prepare_dataset(self, dataset, *args, **kwargs):
        return dataset

    def _get_train_sampler(self, *args, **kwargs):
        return torch.utils.data.SequentialSampler(self.train_dataset)


class Stopwatch(TrainerCallback):
    def __init__(self):
        self.steps = []

    def on_step_begin(self, *args, **kwargs):
        self.wall, self.cpu = time.perf_counter(), time.process_time()

    def on_step_end(self, *args, **kwargs):
        self.steps.append({"wall": time.perf_counter() - self.wall, "cpu": time.process_time() - self.cpu})

    def on_log(self, args, state, control, logs=None, **kwargs):
        if "loss" in logs:
            self.steps[-1]["loss"] = float(logs["loss"])


def trainer(settings: dict, stopwatch: Stopwatch, output_dir: str) -> DPOTrainer:
    if not settings["stock"]:
        # Only decides whether the head is computed on completion tokens alone, which on a CPU it is not by default.
        trl.trainer.utils._use_triton = lambda device: True
    with open(settings["pairs"], encoding="utf-8") as file:
        pairs = json.load(file)[: settings["count"]]
    config = DPOConfig(
        output_dir=output_dir,
        per_device_train_batch_size=settings["batchSize"],
        num_train_epochs=1,
        learning_rate=5e-7,
        lr_scheduler_type="constant",
        optim="rmsprop",
        max_grad_norm=1.0,
        beta=0.1,
        precompute_ref_log_probs=not settings["stock"],
        gradient_checkpointing=False,
        bf16=settings["dtype"] == "autocast",
        use_cpu=True,
        max_length=None,
        logging_steps=1,
        report_to="none",
        save_strategy="no",
        dataloader_pin_memory=False,
        disable_tqdm=True,
        seed=0,
    )
    extra = {}
    if settings["lora"]:
        from peft import LoraConfig

        rank = settings["lora"]
        extra["peft_config"] = LoraConfig(
            r=rank, lora_alpha=2 * rank, lora_dropout=0.0, target_modules="all-linear", task_type="CAUSAL_LM"
        )
    return TokenisedTrainer(
        model=AutoModelForCausalLM.from_pretrained(settings["model"], dtype=torch.float32),
        args=config,
        train_dataset=Dataset.from_list(pairs),
        processing_class=AutoTokenizer.from_pretrained(settings["model"]),
        callbacks=[stopwatch],
        **extra,
    )


def main(settings: dict) -> None:
    torch.set_num_threads(settings["threads"])
    stopwatch = Stopwatch()
    wall, cpu = time.perf_counter(), time.process_time()
    with tempfile.TemporaryDirectory() as output_dir:
        dpo = trainer(settings, stopwatch, output_dir)
        setup = {"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu}
        dpo.train()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    versions = {module.__name__: module.__version__ for module in (torch, transformers, trl)}
    print("\n" + json.dumps({"setup": setup, "steps": stopwatch.steps, "peakBytes": peak, "versions": versions}))


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
