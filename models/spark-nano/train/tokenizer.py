"""A byte-level BPE of 2,048 tokens in which every digit is a token of its own.

    python tokenizer.py --modules node_modules --out tokenizer.json
"""
import argparse
import random
from pathlib import Path

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

import templates
from essays import read_essays, sentences
from strings import Strings

EOS = "<eos>"


def train(modules: Path, size: int = 2048, seed: int = 1) -> Tokenizer:
    rng = random.Random(seed)
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)])
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(vocab_size=size, special_tokens=[EOS], show_progress=False,
                                  initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()))
    strings = Strings(rng, training=True)
    keys = [" " + strings.word() for _ in range(60_000)]
    forms = [templates.fill(form, kind, "it", one) for form in (templates.HEADER, templates.QUESTION, templates.PREFIX)
             for kind in ("numbers", "uuids") for one in (True, False)]
    forms += [templates.needle(kind, "it", "x") for kind in ("numbers", "uuids")] + [templates.NOISE]
    text = rng.sample(sentences(read_essays("datasets-sotu", modules)), 15_000)
    tokenizer.train_from_iterator(text + keys + forms * 2_000, trainer)
    return tokenizer


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--modules", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    trained = train(options.modules)
    for probe in ("Ünïcode — \"quotes\"\n\n tabs\t 12 345x", templates.NOISE, " 1234567.", templates.HEADER):
        assert trained.decode(trained.encode(probe).ids) == probe, probe
    trained.save(str(options.out))
    print(trained.get_vocab_size(), trained.encode(templates.needle("numbers", "abundant-perception", "1234567")).tokens)
