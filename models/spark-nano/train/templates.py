"""The strings of RULER's needle-in-a-haystack tasks (arXiv 2404.06654), to the letter."""

HEADER = ("Some special magic {type} are hidden within the following text. Make sure to memorize it. "
          "I will quiz you about the {type} afterwards.\n")
QUESTION = "\nWhat are all the special magic {type} for {query} mentioned in the provided text?"
PREFIX = "\nThe special magic {type} for {query} mentioned in the provided text are"
NEEDLE = "One of the special magic {type} for {key} is: {value}."
NOISE = "The grass is green. The sky is blue. The sun is yellow. Here we go. There and back again."


def singular(text: str) -> str:
    """The form for exactly one answer (the {type} loses its s in `fill`)."""
    return text.replace("Some", "A").replace("are all", "is").replace("are", "is")


def fill(text: str, kind: str, query: str = "", one: bool = True) -> str:
    """`kind` is "numbers" or "uuids"."""
    if one:
        text, kind = singular(text), kind[:-1]
    return text.format(type=kind, query=query)


def needle(kind: str, key: str, value: str) -> str:
    return NEEDLE.format(type=kind, key=key, value=value)


def listed(items: list[str]) -> str:
    """a / a, and b / a, b, and c"""
    return items[0] if len(items) == 1 else ", ".join(items[:-1]) + ", and " + items[-1]

# the long-output task: repeat a list that stands somewhere in the text
RECITE_HEADER = ("A list of special magic numbers is hidden within the following text. Make sure to memorize it. "
                 "I will ask you to repeat the list afterwards.\n")
RECITE_LIST = ("List of special magic numbers:\n", "End of the list.")
RECITE_QUESTION = ("\nWhat is the list of special magic numbers mentioned in the provided text? "
                   "Repeat every line of it in the same order.")
RECITE_PREFIX = "\nThe list of special magic numbers mentioned in the provided text is:"


def recite_line(key: str, value: str) -> str:
    return f"- {key}: {value}\n"
