"""Seconds of a prefill and of a decode step of one row in PyTorch, float32, all processors, nothing evicted.

    python3 -m venv bench/peers/.venv
    bench/peers/.venv/bin/pip install kvpress==0.5.5      # with it the PyTorch and transformers that it runs on
    npm run bench -- --only decode

    python bench/peers/pytorch.py FOLDER TOKENS STEPS     # a checkpoint folder; prints JSON
"""

import json
import statistics
import sys
import time

import torch
from transformers import AutoModelForCausalLM, DynamicCache


def main(folder: str, tokens: int, steps: int) -> None:
    model = AutoModelForCausalLM.from_pretrained(folder, torch_dtype=torch.float32).eval()
    ids = torch.randint(model.config.vocab_size, (1, tokens), generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        model(ids[:, :64])  # what is only done once
        cache = DynamicCache()
        started = time.perf_counter()
        logits = model(ids, past_key_values=cache, logits_to_keep=1).logits
        prefill = time.perf_counter() - started
        times = []
        for _ in range(steps):
            started = time.perf_counter()
            logits = model(logits[:, -1:].argmax(-1), past_key_values=cache).logits
            times.append(time.perf_counter() - started)
    print(json.dumps({"prefill": prefill, "step": statistics.median(times), "threads": torch.get_num_threads()}))


main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
