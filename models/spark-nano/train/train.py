"""Train spark-nano.

    nice -n 19 python train.py --modules node_modules --tokenizer tokenizer.json --out run --minutes 95

The budget is in minutes of active time (a step counts at most ten seconds, so a stopped process loses nothing).
It drives the lengths and the learning rate, which is level at first and falls to nothing at the end.
"""
import argparse
import os
import signal
import time
from collections import defaultdict, deque
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "passive")     # threads that wait must not spin on a shared machine
os.environ.setdefault("KMP_BLOCKTIME", "0")
os.environ.setdefault("GOMP_SPINCOUNT", "0")

import torch
import torch.nn.functional as F

from data import STAGES, Mix, Source, make_batch
from export import export
from model import Llama, initialise
from muon import Muon

SLOWEST_STEP = 10.0
# share of the budget spent -> how often whole prompts have which length
LENGTHS = [(0.00, {256: 1, 512: 2, 1024: 1}), (0.35, {256: 1, 512: 3, 1024: 3, 2048: 1}),
           (0.55, {256: 3, 512: 4, 1024: 1, 2048: 1}), (0.68, {512: 3, 1024: 2, 2048: 2, 4096: 1}),
           (0.78, {256: 2, 512: 3, 1024: 4, 2048: 2, 4096: 1})]


def length_of(fraction: float, step: int, stage: int) -> int:
    if stage < 6:
        return 256
    shares = [s for start, s in LENGTHS if fraction >= start][-1]
    draw = torch.rand((), generator=torch.Generator().manual_seed(step)).item() * sum(shares.values())
    for length, share in shares.items():
        draw -= share
        if draw < 0:
            break
    return length


def rate_of(fraction: float, step: int, fall: float) -> float:
    warm = min(1.0, (step + 1) / 20)
    return warm * min(1.0, max(0.0, (1 - fraction) / fall) + 0.01)


def tensors(batch, size: int):
    ids = torch.tensor([row.ids for row, _ in batch])
    places = torch.tensor([place for _, place in batch])
    weights = torch.tensor([row.weights for row, _ in batch])
    weights[:, 0] = 0                                   # nothing predicts the first token
    at = weights.flatten().nonzero().squeeze(1)         # predicted tokens; the state before each predicts it
    return ids, places, weights.flatten()[at], at


def accuracy(batch, at, right, size: int):
    """kind -> [first tokens right, first tokens, answers right, answers]"""
    hit = dict(zip(at.tolist(), right.tolist()))
    out = defaultdict(lambda: [0, 0, 0, 0])
    for r, (row, _) in enumerate(batch):
        for answer in row.answers:
            first = [hit[r * size + i] for i in answer.first]
            whole = all(hit[r * size + i] for i in range(*answer.span))
            for i, v in enumerate((sum(first), len(first), int(whole), 1)):
                out[answer.kind][i] += v
    return out


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--modules", type=Path, required=True)
    parser.add_argument("--tokenizer", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--export", type=Path, help="folder for exported snapshots")
    parser.add_argument("--minutes", type=float, default=95)
    parser.add_argument("--fall", type=float, default=0.4, help="share of the budget in which the rate falls")
    parser.add_argument("--tokens", type=int, default=8192, help="tokens in a batch")
    parser.add_argument("--muon", type=float, default=0.02)
    parser.add_argument("--adam", type=float, default=3e-3)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--stage", type=int, default=0)
    parser.add_argument("--compile", action=argparse.BooleanOptionalAction, default=True)
    parser.add_argument("--steps", type=int, default=10 ** 9)
    parser.add_argument("--resume", action="store_true")
    o = parser.parse_args()
    torch.set_num_threads(o.threads)
    o.out.mkdir(parents=True, exist_ok=True)
    log = open(o.out / "log.txt", "a", buffering=1)

    def say(text: str):
        print(text, flush=True)
        log.write(text + "\n")

    source = Source(o.tokenizer, o.modules)
    model = Llama()
    initialise(model, o.seed)
    matrices = [p for name, p in model.named_parameters() if name.endswith("proj.weight")]
    others = [p for name, p in model.named_parameters() if not name.endswith("proj.weight")]
    optimizers = [Muon(matrices, lr=o.muon), torch.optim.AdamW(others, lr=o.adam, betas=(0.9, 0.98), weight_decay=0)]
    rates = [o.muon, o.adam]
    step, stage, active, best = 0, o.stage, 0.0, 0.0
    checkpoint = o.out / "checkpoint.pt"
    if o.resume and checkpoint.exists():
        saved = torch.load(checkpoint, map_location="cpu", weights_only=False)
        model.load_state_dict(saved["model"])
        for optimizer, state in zip(optimizers, saved["optimizers"]):
            optimizer.load_state_dict(state)
        step, stage, active = saved["step"], max(stage, saved["stage"]), saved["active"]
        say(f"resumed at step {step}, stage {stage}, {active / 60:.1f} min")

    def save():
        torch.save({"model": model.state_dict(), "optimizers": [x.state_dict() for x in optimizers],
                    "step": step, "stage": stage, "active": active}, o.out / "checkpoint.part")
        os.replace(o.out / "checkpoint.part", checkpoint)
        if o.export and stage == STAGES - 1:
            export(model.state_dict(), o.tokenizer, o.export)

    trunk = torch.compile(model, dynamic=False) if o.compile else model
    recent = deque(maxlen=12)                           # right, total of this stage's first tokens
    counts, losses, took = defaultdict(lambda: [0, 0, 0, 0]), [], []
    saved_at = logged_at = active
    began, budget, steps = time.time(), o.minutes * 60, 0
    ending = []
    signal.signal(signal.SIGTERM, lambda *_: ending.append(True))   # finish the step, then save
    while active < budget and steps < o.steps and not ending:
        fraction = active / budget
        size = length_of(fraction, step, stage)
        mix = Mix(stage, earlier=0.3 if stage < 6 else 0.05 if fraction < 0.5 else 0.02,
                  copies=0.5 if active < 180 else 0.1 if fraction < 0.5 else 0.03, recite=0.08,
                  plain=0.25, stretch=0.6 if stage >= 3 or active > 180 else 0.0)
        batch = make_batch(source, o.seed, step, size, o.tokens // size, mix)
        ids, places, weights, at = tensors(batch, size)
        with torch.autocast("cpu", torch.bfloat16):
            hidden = (trunk if size < 4096 else model)(ids, places).reshape(-1, model.c.hidden)[at - 1]
            scores = model.logits(hidden).float()
        targets = ids.flatten()[at]
        loss = (F.cross_entropy(scores, targets, reduction="none") * weights).sum() / weights.sum()
        loss.backward()
        model.embed_tokens.weight.grad[:, 0] = 0        # the constant that the look-back heads rest on
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        factor = rate_of(fraction, step, o.fall)
        for optimizer, rate in zip(optimizers, rates):
            for group in optimizer.param_groups:
                group["lr"] = rate * factor
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        found = accuracy(batch, at, scores.argmax(-1) == targets, size)
        for kind, values in found.items():
            name = f"{kind}/{size}" if stage == 6 else kind
            counts[name] = [a + b for a, b in zip(counts[name], values)]
        mine = [found[k] for k in list(found) if k == f"stage{stage}"]
        recent.append([sum(v[0] for v in mine), sum(v[1] for v in mine)])
        losses.append(loss.item())
        if stage < 6 and len(recent) == recent.maxlen and sum(r[1] for r in recent) > 300 \
                and sum(r[0] for r in recent) >= 0.9 * sum(r[1] for r in recent):
            stage += 1
            recent.clear()
            say(f"--- stage {stage} at step {step}, {active / 60:.1f} min")
        step, steps = step + 1, steps + 1
        now = time.time()
        took.append(now - began)
        active += min(now - began, SLOWEST_STEP)
        began = now
        if active - logged_at > 45 or steps <= 3:
            told = "  ".join(f"{k} {100 * v[0] // max(1, v[1])}/{100 * v[2] // max(1, v[3])} ({v[3]})"
                             for k, v in sorted(counts.items()))
            say(f"{step} {active / 60:.1f}min stage {stage} loss {sum(losses) / len(losses):.3f} rate {factor:.2f} "
                f"{sum(took) / len(took):.2f}s/step  {told}")
            counts.clear(), losses.clear(), took.clear()
            logged_at = active
        if active - saved_at > 180:
            save()
            saved_at = active
    save()
    say(f"done: step {step}, {active / 60:.1f} min")


if __name__ == "__main__":
    main()
