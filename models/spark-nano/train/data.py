"""Training rows: lookup exercises of growing length, up to whole RULER prompts.

A row is one text with questions and answers in it; only the answers bear loss.
"""
import random
from dataclasses import dataclass, field
from pathlib import Path

from tokenizers import Tokenizer

import templates
from essays import read_essays, sentences
from strings import Strings

STAGES = 7
# a value's first characters need the lookup, the others can be copied on: i-th token weighs 1 + EXTRA * FADE^i
EXTRA, FADE = 3.0, 0.6
MAX_POSITIONS = 4096


@dataclass
class Answer:
    kind: str                # what is reported in the log
    first: list[int]         # positions of each value's first token
    span: tuple[int, int]    # all tokens of the answer


@dataclass
class Row:
    tokenizer: Tokenizer
    ids: list[int] = field(default_factory=list)
    weights: list[float] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)

    def text(self, text: str):
        ids = self.tokenizer.encode(text).ids
        self.ids += ids
        self.weights += [0.0] * len(ids)

    def answer(self, kind: str, values: list[str]):
        text = " " + templates.listed(values) + "."
        encoded, base, first = self.tokenizer.encode(text), len(self.ids), []
        weights = [1.0] * len(encoded.ids) + [1.0]
        for value in values:
            start = text.index(value)
            at = next(i for i, (a, b) in enumerate(encoded.offsets) if a <= start < b)
            first.append(base + at)
            extra = EXTRA * (1 if len(first) == 1 else 2)   # which one comes next is the hardest
            if "-" in value:                                # a uuid: whether its blank stands alone tells as much
                blank = next(i for i, (a, b) in enumerate(encoded.offsets) if a <= start - 1 < b)
                weights[blank] = 1 + extra
            for i in range(min(8, len(weights) - 2 - at)):
                weights[at + i] = max(weights[at + i], 1 + extra * FADE ** i)
        self.ids += encoded.ids + [self.tokenizer.token_to_id("<eos>")]
        self.weights += weights
        self.answers.append(Answer(kind, first, (base, len(self.ids))))


class Source:
    """All training text, cut into sentences, with the length of each in tokens."""

    def __init__(self, tokenizer_file: Path, modules: Path):
        self.tokenizer = Tokenizer.from_file(str(tokenizer_file))
        self.sentences = sentences(read_essays("datasets-sotu", modules))
        self.lengths = [len(e.ids) for e in self.tokenizer.encode_batch([" " + s for s in self.sentences])]
        ends = {i for t in range(self.tokenizer.get_vocab_size())
                if (token := self.tokenizer.id_to_token(t)) in (".", "Ċ") for i in [t]}
        self.breaks = ends

    def count(self, text: str) -> int:
        return len(self.tokenizer.encode(text).ids)

    def excerpt(self, rng: random.Random, tokens: int) -> list[str]:
        """Consecutive sentences of about so many tokens."""
        at, out = rng.randrange(len(self.sentences)), []
        while True:
            tokens -= self.lengths[at]
            if tokens < 0:
                return out
            out.append(self.sentences[at])
            at = (at + 1) % len(self.sentences)


# --- exercises -----------------------------------------------------------------------------------

def copy_row(source: Source, rng: random.Random, size: int) -> Row:
    """A random segment, again and again: the alphabet is large, or as small as digits and hex are."""
    row = Row(source.tokenizer)
    vocabulary = source.tokenizer.get_vocab_size()
    small = [source.tokenizer.token_to_id(c) for c in rng.choice(("0123456789", "0123456789abcdef-"))]
    free, few = (2, False) if rng.random() < 0.4 else (4, True)
    length = rng.randint(16, min(64, size // 3))
    segment = [rng.choice(small) if few else rng.randrange(1, vocabulary) for _ in range(length)]
    while len(row.ids) < size:
        start = len(row.ids)
        row.ids += segment
        row.weights += [0.0] * length if start == 0 else [0.0] * free + [1.0] * (length - free)
        if start:
            row.answers.append(Answer("copy-few" if few else "copy", [start + free], (start + free, start + length)))
        noise = rng.randint(0, 8)
        row.ids += [rng.randrange(1, vocabulary) for _ in range(noise)]
        row.weights += [0.0] * noise
    row.answers = [a for a in row.answers if a.span[1] <= size]
    row.ids, row.weights = row.ids[:size], row.weights[:size]
    return row


def short_row(source: Source, rng: random.Random, size: int, stage: int) -> Row:
    """Stages 0 to 5: a few keys with their values, then questions."""
    row, strings = Row(source.tokenizer), Strings(rng, training=True)
    kind = "uuids" if stage >= 2 and rng.random() < 0.2 else "numbers"
    key_kind = "uuids" if stage >= 2 and rng.random() < 0.1 else "words"
    fillers = [w for w in ("is", "are", "was", "of", "the", "it", "=", "as", "and", "to")]
    between = {0: "", 1: " " + rng.choice(fillers), 2: rng.choice((" is:", f" {rng.choice(fillers)} {rng.choice(fillers)}"))}
    if stage == 3:
        between[3] = rng.choice((" is:", "".join(" " + rng.choice(fillers) for _ in range(rng.randint(0, 4)))))
        lead = " ".join(rng.choice(("the", "number", "for", "of", "text", "One", "magic")) for _ in range(rng.randint(0, 3)))
    items, used = [], 0
    limit = rng.choice((2, 3, 4, 6, 8, 12))
    room = size * rng.uniform(0.3, 0.6)
    while used < room and len(items) < limit:
        key, value = strings.key(key_kind), strings.value(kind)
        if stage <= 2:
            said, ask = f"{key}{between[stage]} {value}.", f"\n{key}{between[stage]}"
        elif stage == 3:
            said = ask = f"{lead} {key}{between[3]}".strip()
            said, ask = f"{said} {value}.", "\n" + ask
        else:
            said = templates.needle(kind, key, value)
            ask = f"\nfor {key} is:" if stage == 4 else key
        items.append((said, ask, value, key))
        used += source.count(said)
        if rng.random() < 0.3 and stage >= 2:
            filler = source.excerpt(rng, rng.randint(20, 60))
            if filler:
                items.append((filler[0], None, None, None))
                used += source.count(filler[0])
    row.text(rng.choice(("\n", " ")).join(item[0] for item in items))
    asked = [item for item in items if item[1]]
    rng.shuffle(asked)
    while asked and len(row.ids) < size:
        many = rng.choice((2, 3, 4)) if stage == 5 and rng.random() < 0.3 else 1
        now, asked = asked[:many], asked[many:]
        if stage == 5 and rng.random() < 0.5:               # on the way there: less and less of the sentence
            now, asked = now[:1], now[1:] + asked
            before = templates.singular(templates.PREFIX).split("{query}")
            head, end = before[0].format(type=kind[:-1]).split(" "), before[1].split(" ")[1:-1]   # last: for, text
            end = end[:rng.randint(1, len(end))]
            row.text(" ".join(["\n" + " ".join(head[rng.randrange(len(head) - 1):-1]).lstrip("\n"), now[0][3], *end, "is"]))
            row.answer(f"stage5-part{len(end)}", [now[0][2]])
            continue
        if stage == 5:
            query, one = templates.listed([item[3] for item in now]), len(now) == 1
            row.text(templates.fill(templates.QUESTION, kind, query, one))
            row.text(templates.fill(templates.PREFIX, kind, query, one))
        else:
            row.text(now[0][1])
        row.answer(f"stage{stage}" if len(now) == 1 else f"stage{stage}-multi", [item[2] for item in now])
    return row


# haystack, key, value, keys, values per key, queries
TASKS = {
    "single_1": ("noise", "words", "numbers", 1, 1, 1),
    "single_2": ("essay", "words", "numbers", 1, 1, 1),
    "single_3": ("essay", "words", "uuids", 1, 1, 1),
    "multikey_1": ("essay", "words", "numbers", 4, 1, 1),
    "multikey_2": ("needle", "words", "numbers", 1, 1, 1),
    "multikey_3": ("needle", "uuids", "uuids", 1, 1, 1),
    "multivalue": ("essay", "words", "numbers", 1, 4, 1),
    "multiquery": ("essay", "words", "numbers", 4, 1, 4),
}
PLAIN = [*TASKS, "single_3", "single_3", "multikey_1", "multiquery"]    # the harder ones more often


def plan(rng: random.Random, size: int, plain: bool):
    """(haystack, key kind, value kind, groups as numbers of values, questions as lists of groups)."""
    if plain:                                               # exactly one of RULER's tasks
        hay, key, value, keys, values, queries = TASKS[rng.choice(PLAIN)]
        keys = max(keys, queries)
        return hay, key, value, [values] * keys, [rng.sample(range(keys), queries)]
    hay = rng.choices(("noise", "essay", "needle"), (2, 6, 2))[0]
    value = "uuids" if rng.random() < 0.45 else "numbers"
    key = "uuids" if rng.random() < (0.4 if hay == "needle" else 0.07) else "words"
    room = size * rng.uniform(0.2, 0.5) - 40                # tokens for the questions
    groups, questions = [], []
    while room > 0 or not questions:
        form = rng.choices(("one", "values", "keys"), (40, 20, 40) if value == "numbers" else (90, 5, 5))[0]
        many = 1 if form == "one" else rng.randint(2, 4) if value == "numbers" else 2
        mine = [len(groups) + i for i in range(many if form == "keys" else 1)]
        groups += [many if form == "values" else 1] * len(mine)
        questions.append(mine)
        room -= 35 + len(mine) * (12 if key == "words" else 50) + many * (10 if value == "numbers" else 30)
    groups += [1] * rng.choice((0, 0, 1, 3, 5))             # asked for by nobody
    return hay, key, value, groups, questions


def ruler_row(source: Source, rng: random.Random, size: int, plain: bool) -> Row:
    """Stage 6: a whole prompt, with one question at its end (plain) or a number of them."""
    strings = Strings(rng, training=True)
    hay, key_kind, kind, groups, questions = plan(rng, size, plain)
    keyed = [(strings.key(key_kind), [strings.value(kind) for _ in range(n)]) for n in groups]
    needles = [(i, v, templates.needle(kind, key, v)) for i, (key, values) in enumerate(keyed) for v in values]
    rng.shuffle(needles)
    tail = []
    for mine in questions:
        values = [v for i in mine for j, v, _ in needles if i == j]     # by query, then by place in the text
        one, query = len(values) == 1, templates.listed([keyed[i][0] for i in mine])
        name = hay + ("-uuid" if kind == "uuids" else "") + ("" if one else "-values" if len(mine) == 1 else "-keys")
        tail.append((name, query, one, values))
    header = templates.fill(templates.HEADER, kind, one=tail[0][2])
    fixed = source.count(header) + sum(source.count(n[2]) for n in needles) + sum(
        source.count(templates.QUESTION) + source.count(templates.PREFIX) + 2 * source.count(" " + q)
        + sum(source.count(" " + v) + 3 for v in values) + 2 for _, q, _, values in tail)
    room = size - fixed - 8
    if hay == "essay":
        straw, join = source.excerpt(rng, room), " "
    elif hay == "noise":
        straw, join = [templates.NOISE] * max(0, room // (source.count(templates.NOISE) + 1)), "\n"
    else:
        straw, join = [], "\n"
        while room > 0:
            straw.append(templates.needle(kind, strings.key(key_kind), strings.value(kind)))
            room -= source.count(straw[-1]) + 1
        straw = straw[:-1]
    places = sorted(rng.randint(0, len(straw)) for _ in needles)
    for offset, (place, found) in enumerate(zip(places, needles)):
        straw.insert(place + offset, found[2])
    row = Row(source.tokenizer)
    for number, (name, query, one, values) in enumerate(tail):
        question = templates.fill(templates.QUESTION, kind, query, one)
        row.text(header + join.join(straw) + question if number == 0 else question)
        row.text(templates.fill(templates.PREFIX, kind, query, one))
        row.answer(name, values)
    return row


def recite_row(source: Source, rng: random.Random, size: int) -> Row:
    """A list within running text, to be repeated whole."""
    strings = Strings(rng, training=True)
    head, end = templates.RECITE_LIST
    fixed = sum(source.count(t) for t in (templates.RECITE_HEADER, head, end, templates.RECITE_QUESTION,
                                          templates.RECITE_PREFIX)) + 12
    room, lines = (size - fixed) * rng.uniform(0.3, 0.9), []
    while len(lines) < 40:
        line = templates.recite_line(strings.key("words"), strings.value("numbers"))
        room -= 2 * source.count(line)
        if room < 0 and lines:
            break
        lines.append(line)
    straw = source.excerpt(rng, size - fixed - sum(2 * source.count(line) for line in lines) - 8)
    at = rng.randint(0, len(straw))
    row = Row(source.tokenizer)
    row.text(templates.RECITE_HEADER + " ".join(straw[:at]) + "\n" + head + "".join(lines) + end + "\n"
             + " ".join(straw[at:]) + templates.RECITE_QUESTION)
    row.text(templates.RECITE_PREFIX)
    base, text = len(row.ids), "\n" + "".join(lines) + end
    encoded = source.tokenizer.encode(text)
    starts = [i for i, char in enumerate(text) if text.startswith("- ", i) or text.startswith(": ", i)]
    telling = [next(i for i, (_, b) in enumerate(encoded.offsets) if b > start + 2) for start in starts]
    row.ids += encoded.ids + [source.tokenizer.token_to_id("<eos>")]
    row.weights += [1.0] * (len(encoded.ids) + 1)
    for i in telling:
        row.weights[base + i] = 1 + EXTRA
    row.answers.append(Answer("recite", [base + i for i in telling], (base, len(row.ids))))
    return row


def positions(source: Source, rng: random.Random, row: Row, size: int, stretch: bool) -> list[int]:
    """0, 1, 2, ... - or, to see far distances in short rows, with gaps after some sentences."""
    if not stretch:
        return list(range(size))
    spare, gaps = MAX_POSITIONS - size, {}
    places = [i + 1 for i, token in enumerate(row.ids[:size - 1]) if token in source.breaks]
    for place in rng.sample(places, min(len(places), rng.randint(1, 4))):
        gaps[place] = int(spare * rng.random() ** 2)
        spare -= gaps[place]
    out, at = [], rng.randint(0, spare) if rng.random() < 0.3 else 0
    for i in range(size):
        at += gaps.get(i, 0)
        out.append(at)
        at += 1
    return out


@dataclass
class Mix:
    stage: int
    earlier: float           # share of rows from earlier stages
    copies: float            # share of rows of repeated segments
    recite: float            # share of whole prompts with a list to repeat
    plain: float             # share of whole prompts with a single question
    stretch: float           # share of rows with gaps in their positions


def make_row(source: Source, rng: random.Random, size: int, mix: Mix):
    """A row, cut or padded to size, and its positions."""
    draw = rng.random()
    stage = mix.stage if rng.random() >= mix.earlier else rng.randint(max(0, mix.stage - 3), max(0, mix.stage - 1))
    if draw < mix.copies:
        row = copy_row(source, rng, size)
    elif stage < 6:
        row = short_row(source, rng, size, stage)
        while len(row.ids) < size * 0.6:                    # one exercise after the other
            more = short_row(source, rng, size - len(row.ids), stage)
            base = len(row.ids)
            row.ids, row.weights = row.ids + more.ids, row.weights + more.weights
            row.answers += [Answer(a.kind, [f + base for f in a.first], (a.span[0] + base, a.span[1] + base))
                            for a in more.answers]
    else:
        for _ in range(20):
            row = recite_row(source, rng, size) if draw < mix.copies + mix.recite else \
                ruler_row(source, rng, size, rng.random() < mix.plain)
            if len(row.ids) <= size:
                break
    row.answers = [a for a in row.answers if a.span[1] <= size]
    place = positions(source, rng, row, size, rng.random() < mix.stretch)
    eos = source.tokenizer.token_to_id("<eos>")
    row.ids = (row.ids + [eos] * size)[:size]
    row.weights = (row.weights + [0.0] * size)[:size]
    return row, place


def make_batch(source: Source, seed: int, step: int, size: int, rows: int, mix: Mix):
    rng = random.Random(f"{seed}/{step}")
    return [make_row(source, rng, size, mix) for _ in range(rows)]
