"""Import before torch: how the bench's peers run on a CPU. Torch from PyPI is built for CUDA, and looks for it."""

import os

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["TQDM_DISABLE"] = "1"
os.environ["CUDA_VISIBLE_DEVICES"] = ""
# On a machine that has other work to do, threads that spin while they wait would be counted as work: up to four times.
os.environ["OMP_WAIT_POLICY"] = "PASSIVE"

import torch
import transformers

# Without a CUDA runtime these two calls reach into the empty libraries.
torch.cuda.is_current_stream_capturing = lambda: False
transformers.utils.import_utils.is_cuda_stream_capturing = lambda: False
