"""RULER's eight needle tasks on the evaluation side: Moby Dick, keys and values that training never used.

    python evaluate.py --model .. --modules node_modules --lengths 1024 2048 --samples 100

Weights as stored (bfloat16), arithmetic in float32, full cache, greedy, at most 128 tokens.
"""
import argparse
import json
import random
import time
from pathlib import Path

import torch
from safetensors.torch import load_file
from tokenizers import Tokenizer

import templates
from data import TASKS
from essays import read_essays, sentences
from model import Cache, Llama
from strings import Strings

TO_GENERATE = 128


class Prompts:
    def __init__(self, tokenizer: Tokenizer, modules: Path):
        self.tokenizer = tokenizer
        self.words = read_essays("datasets-moby-dick", modules).split(" ")

    def draw(self, task: str, length: int, seed: int):
        """(prompt, answer prefix, answers), the haystack as large as the length allows."""
        # RULER steps by 500 words of essay, which leaves short prompts half empty; here they are filled
        unit = 25 if TASKS[task][0] == "essay" or length >= 4096 else 5
        cost = lambda made: sum(len(self.tokenizer.encode(t).ids) for t in made[:2]) + TO_GENERATE
        least, most = 0, 1
        while cost(self.build(task, most * unit, seed)) <= length:
            least, most = most, most * 2
        while most - least > 1:
            middle = (least + most) // 2
            if cost(self.build(task, middle * unit, seed)) <= length:
                least = middle
            else:
                most = middle
        return self.build(task, least * unit, seed)

    def build(self, task: str, size: int, seed: int):
        hay, key_kind, kind, keys, per_key, queries = TASKS[task]
        rng = random.Random(f"{task}/{seed}")
        strings = Strings(rng, training=False)
        keyed = [(strings.key(key_kind), [strings.value(kind) for _ in range(per_key)]) for _ in range(max(keys, queries))]
        needles = [templates.needle(kind, key, v) for key, values in keyed for v in values]
        rng.shuffle(needles)
        if hay == "essay":
            straw, join = sentences(" ".join(self.words[:size])), " "
            depths = sorted(rng.sample([round(100 * i / 39) for i in range(40)], len(needles)))
            places = [len(straw) * d // 100 for d in depths]
        else:
            join = "\n"
            straw = [templates.NOISE] * size if hay == "noise" else [
                templates.needle(kind, strings.key(key_kind), strings.value(kind)) for _ in range(size)]
            places = sorted(rng.sample(range(max(size, len(needles))), len(needles)))
        for offset, (place, text) in enumerate(zip(places, needles)):
            straw.insert(place + offset, text)
        asked = rng.sample(range(len(keyed)), queries)
        answers = [v for i in asked for v in keyed[i][1]]
        query, one = templates.listed([keyed[i][0] for i in asked]), len(answers) == 1
        prompt = templates.fill(templates.HEADER, kind, one=one) + join.join(straw) + templates.fill(
            templates.QUESTION, kind, query, one)
        return prompt, templates.fill(templates.PREFIX, kind, query, one), answers


@torch.no_grad()
def generate(model: Llama, ids: list[int], eos: int) -> list[int]:
    cache, out = Cache(), []
    new, at = torch.tensor([ids]), 0
    while len(out) < TO_GENERATE:
        hidden = model(new, torch.arange(at, at + new.shape[1])[None], cache)[:, -1]
        at += new.shape[1]
        token = model.logits(hidden).argmax(-1)
        if token.item() == eos:
            break
        out.append(token.item())
        new = token[None]
    return out


def load(folder: Path) -> tuple[Llama, Tokenizer]:
    model = Llama()
    model.load_state_dict({k.removeprefix("model."): w.float() for k, w in load_file(folder / "model.safetensors").items()})
    return model.eval(), Tokenizer.from_file(str(folder / "tokenizer.json"))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--modules", type=Path, required=True)
    parser.add_argument("--lengths", type=int, nargs="+", default=[1024, 2048, 4096])
    parser.add_argument("--tasks", nargs="+", default=list(TASKS))
    parser.add_argument("--samples", type=int, default=100)
    parser.add_argument("--seed", type=int, default=10_000)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--show", action="store_true")
    parser.add_argument("--out", type=Path, help="JSON file to add the figures to")
    o = parser.parse_args()
    torch.set_num_threads(o.threads)
    model, tokenizer = load(o.model)
    prompts, eos = Prompts(tokenizer, o.modules), tokenizer.token_to_id("<eos>")
    for length in o.lengths:
        for task in o.tasks:
            began, scores = time.time(), []
            for sample in range(o.samples):
                prompt, prefix, answers = prompts.draw(task, length, o.seed + sample)
                ids = tokenizer.encode(prompt).ids + tokenizer.encode(prefix).ids
                said = tokenizer.decode(generate(model, ids, eos))
                scores.append(sum(a.lower() in said.lower() for a in answers) / len(answers))
                if o.show:
                    print(repr(said), answers)
            score = 100 * sum(scores) / len(scores)
            print(f"niah_{task} {length} {score:.1f} ({o.samples} samples, {time.time() - began:.0f} s)", flush=True)
            if o.out:
                table = json.loads(o.out.read_text()) if o.out.exists() else {}
                table.setdefault(f"niah_{task}", {})[str(length)] = {"score": round(score, 1), "samples": o.samples}
                o.out.write_text(json.dumps(table, indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    main()
