"""Record what training saw, for the test that no evaluation sample occurs in it.

    python record.py --modules node_modules --tokenizer tokenizer.json --out ../../../test/fixtures/spark-nano

`rows.json` holds whole rows of the stream, drawn over all its steps, as text. `sentences.bin` holds the first six
bytes of the sha256 of every sentence of the training text, sorted: a sentence of another text is found there with a
chance of one in ten thousand millions.
"""
import argparse
import hashlib
import json
import random
from pathlib import Path

from data import Mix, Source, make_batch

ROWS, STEPS, SEED = 60, 5_000, 1


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--modules", type=Path, required=True)
    parser.add_argument("--tokenizer", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    o = parser.parse_args()
    source, rng = Source(o.tokenizer, o.modules), random.Random(SEED)
    o.out.mkdir(parents=True, exist_ok=True)
    rows = []
    for number in range(ROWS):
        size = (256, 512, 1024)[number % 3]
        mix = Mix(stage=6, earlier=0.2, copies=0, recite=0.15, plain=0.3, stretch=0)
        row, _ = rng.choice(make_batch(source, SEED, rng.randrange(STEPS), size, 8192 // size, mix))
        rows.append(source.tokenizer.decode(row.ids))
    (o.out / "rows.json").write_text(json.dumps(rows, indent=1, ensure_ascii=False) + "\n", "utf-8")
    hashes = sorted({hashlib.sha256(s.encode("utf-8")).digest()[:6] for s in source.sentences})
    (o.out / "sentences.bin").write_bytes(b"".join(hashes))
    print(f"{len(rows)} rows, {len(hashes)} sentences")


if __name__ == "__main__":
    main()
