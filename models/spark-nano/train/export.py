"""Write a checkpoint as config.json, model.safetensors (bfloat16) and tokenizer.json.

    python export.py --checkpoint checkpoint.pt --tokenizer tokenizer.json --out ..
"""
import argparse
import json
import os
import shutil
from pathlib import Path

import torch
from safetensors.torch import save_file

from model import Config


def export(weights: dict, tokenizer_file: Path, out: Path):
    c = Config()
    tensors = {"model." + name: w.detach().to(torch.bfloat16).contiguous() for name, w in weights.items()}
    config = {
        "architectures": ["LlamaForCausalLM"], "model_type": "llama", "torch_dtype": "bfloat16",
        "vocab_size": c.vocab, "hidden_size": c.hidden, "intermediate_size": c.ff, "num_hidden_layers": c.layers,
        "num_attention_heads": c.heads, "num_key_value_heads": c.kv_heads, "head_dim": c.head_dim,
        "hidden_act": "silu", "max_position_embeddings": c.positions, "rms_norm_eps": c.eps,
        "rope_theta": c.theta, "rope_scaling": None, "attention_bias": False, "attention_dropout": 0.0,
        "mlp_bias": False, "tie_word_embeddings": True, "bos_token_id": None, "eos_token_id": 0,
        "pad_token_id": 0, "initializer_range": 0.02, "pretraining_tp": 1, "use_cache": True,
    }
    out.mkdir(parents=True, exist_ok=True)
    (out / "config.json").write_text(json.dumps(config, indent=2) + "\n")
    shutil.copyfile(tokenizer_file, out / "tokenizer.json")
    save_file(tensors, out / "model.safetensors.part", metadata={"format": "pt"})
    os.replace(out / "model.safetensors.part", out / "model.safetensors")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--checkpoint", type=Path, required=True)
    parser.add_argument("--tokenizer", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    saved = torch.load(options.checkpoint, map_location="cpu", weights_only=False)
    export(saved["model"], options.tokenizer, options.out)
