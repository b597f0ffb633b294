"""Keys and values, and the hash that keeps those of training and evaluation apart."""
import random
import uuid
from functools import lru_cache
from importlib import resources


def fnv1a(text: str) -> int:
    h = 0x811C9DC5
    for byte in text.encode("utf-8"):
        h = ((h ^ byte) * 0x01000193) & 0xFFFFFFFF
    return h


def is_training_string(text: str) -> bool:
    """Training uses only keys and values with an odd FNV-1a hash, evaluation only even ones."""
    return fnv1a(text) & 1 == 1


@lru_cache(None)
def word_lists() -> tuple[list[str], list[str]]:
    folder = resources.files("wonderwords") / "assets"
    read = lambda name: sorted({w.strip() for w in (folder / name).read_text("utf-8").splitlines() if w.strip()})
    return read("adjectivelist.txt"), read("nounlist.txt")


class Strings:
    """Seeded draws of keys and values from one side of the split, never the same twice in a prompt."""

    def __init__(self, rng: random.Random, training: bool):
        self.rng, self.training, self.used = rng, training, set()

    def _draw(self, make) -> str:
        while True:
            text = make()
            if is_training_string(text) == self.training and text not in self.used:
                self.used.add(text)
                return text

    def number(self) -> str:
        return self._draw(lambda: str(self.rng.randint(1000000, 9999999)))

    def uuid(self) -> str:
        return self._draw(lambda: str(uuid.UUID(int=self.rng.getrandbits(128), version=4)))

    def word(self) -> str:
        adjectives, nouns = word_lists()
        return self._draw(lambda: self.rng.choice(adjectives) + "-" + self.rng.choice(nouns))

    def key(self, kind: str) -> str:
        return self.word() if kind == "words" else self.uuid()

    def value(self, kind: str) -> str:
        return self.number() if kind == "numbers" else self.uuid()
