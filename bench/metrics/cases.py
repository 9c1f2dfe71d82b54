"""Texts to compare implementations on: real ones, and random ones that are nasty."""

import collections
import json
import pathlib
import random

ROOT = pathlib.Path(__file__).resolve().parents[2]
LINES = (
    "the cat sat on a mat . , ; : ! ? - -- ( ) [ ] { } \" ' 's n't & &amp; &quot; < > / \\ @ # $ % ^ * _ = + ~ ` |",
    "3 3.14 1,000 2-3 12:30 10% $5 C++ a.b x,y U.S. don't it's naïve Straße ΣΊΣΥΦΟΣ İstanbul 東京 は 猫 ， 。 「 」",
    "€ £ ½ № — … “ ” 😀 e\u0301 \u00a0 \u2003 running runs ran easily happily national nationality relational",
    "conditional generously enjoyment dying skies news <skipped> foo-\n \n \n\n \t \r\n \x1c \x85",
)
PIECES = [piece for line in LINES for piece in line.split(" ")]


def sentences(path: pathlib.Path) -> list[str]:
    found = []
    for paragraph in path.read_text(encoding="utf-8").split("\n\n"):
        text = " ".join(paragraph.split())
        if 20 < len(text) < 1_500:
            found.append(text)
    return found


def changed(text: str, chance: random.Random) -> str:
    """The text as somebody else might have written it: words left out, doubled, moved, replaced."""
    words = text.split(" ")
    for _ in range(chance.randint(0, max(1, len(words) // 4))):
        at = chance.randrange(len(words))
        match chance.randrange(5):
            case 0 if len(words) > 1:
                del words[at]
            case 1:
                words.insert(at, chance.choice(words))
            case 2:
                words[at] = chance.choice(PIECES)
            case 3:
                start, end = sorted((at, chance.randrange(len(words))))
                run = words[start:end]
                del words[start:end]
                place = chance.randint(0, len(words))
                words[place:place] = run
                words = words or [""]
            case _:
                words[at] = words[at].swapcase()
    return " ".join(words)


def texts(count: int, data: pathlib.Path | None, seed: int = 7) -> list[dict]:
    """Half of them real sentences beside a changed copy or another sentence, half made of pieces."""
    chance = random.Random(seed)
    real = [text for path in sorted(ROOT.glob("docs/*.md")) for text in sentences(path)]
    if data:
        for path in sorted(data.glob("faithfulness/*.jsonl")) + sorted(data.glob("language/*.jsonl")):
            for line in path.read_text(encoding="utf-8").split("\n"):
                row = json.loads(line) if line else {}
                real += [row[name] for name in ("output", "text") if 0 < len(row.get(name, "")) < 1_500]
    cases = []
    for at in range(count):
        if at % 2:
            text = chance.choice(real)
        else:
            text = chance.choice([" ", "", " "]).join(chance.choices(PIECES, k=chance.randint(0, 40)))
        others = [changed(text, chance) for _ in range(chance.choice([1, 1, 1, 2, 3]))]
        if chance.random() < 0.1:
            others[0] = chance.choice(real)
        cases.append({"id": at, "output": text, "reference": others if len(others) > 1 else others[0]})
    return cases


def rankings(count: int, seed: int = 7) -> list[dict]:
    chance = random.Random(seed)
    cases = []
    for at in range(count):
        names = [f"d{number}" for number in range(chance.randint(1, 40))]
        chance.shuffle(names)
        grades = {name: chance.choice([0, 1, 1, 2, 3]) for name in chance.sample(names, chance.randint(1, len(names)))}
        grades["d99"] = 1
        cases.append({"id": at, "output": names[: chance.randint(1, len(names))], "reference": grades})
    return cases


def samples(count: int, seed: int = 7) -> list[dict]:
    """Two samples of numbers, with ties in every second."""
    chance = random.Random(seed)
    cases = []
    for at in range(count):
        shift, round_to = chance.choice([0, 0, 0.5, 2]), chance.choice([0, 1, 9])
        output = [round(chance.gauss(shift, 1), round_to) for _ in range(chance.randint(2, 120))]
        reference = [round(chance.gauss(0, 1), round_to) for _ in range(chance.randint(2, 120))]
        cases.append({"id": at, "output": output, "reference": reference})
    return cases


def series(count: int, seed: int = 7) -> list[dict]:
    """A series of numbers whose mean or spread changes up to four times."""
    chance = random.Random(seed)
    cases = []
    for at in range(count):
        output: list[float] = []
        for _ in range(chance.randint(1, 5)):
            mean, spread = chance.choice([0, 0.5, 1, 3]), chance.choice([0.1, 1])
            output += [chance.gauss(mean, spread) for _ in range(chance.randint(20, 400))]
        cases.append({"id": at, "output": output})
    return cases


def binned(count: int, seed: int = 7) -> list[dict]:
    """Two samples of numbers, 65 to 127 in all, that have moved or not."""
    chance = random.Random(seed)
    cases = []
    for at in range(count):
        shift = chance.choice([0, 0, 0.5, 2])
        output = [chance.gauss(shift, 1) for _ in range(chance.randint(35, 60))]
        reference = [chance.gauss(0, 1) for _ in range(chance.randint(30, 67))]
        cases.append({"id": at, "output": output, "reference": reference})
    return cases


def categories(count: int, seed: int = 7) -> list[dict]:
    chance = random.Random(seed)
    cases = []
    for at in range(count):
        names = [chr(97 + number) for number in range(chance.randint(2, 12))]
        output, reference = (chance.choices(names, k=chance.randint(1, 80)) for _ in range(2))
        output[0], reference[0] = names[0], names[1]
        cases.append({"id": at, "output": output, "reference": reference})
    return cases


def vectors(count: int, seed: int = 7) -> list[dict]:
    """A vector beside one or several others."""
    chance = random.Random(seed)
    cases = []
    for at in range(count):
        width = chance.choice([1, 3, 64, 384])
        one, *others = ([chance.gauss(0, 1) for _ in range(width)] for _ in range(chance.randint(2, 4)))
        cases.append({"id": at, "output": one, "reference": others if len(others) > 1 else others[0]})
    return cases


def points(count: int, seed: int = 7) -> list[dict]:
    """Two samples of vectors, some of which have moved or spread."""
    chance = random.Random(seed)
    cases = []
    for at in range(count):
        width, shift, spread = chance.choice([1, 2, 16]), chance.choice([0, 0, 0.5, 2]), chance.choice([1, 1, 3])
        output = [[chance.gauss(shift, spread) for _ in range(width)] for _ in range(chance.randint(2, 60))]
        reference = [[chance.gauss(0, 1) for _ in range(width)] for _ in range(chance.randint(2, 60))]
        cases.append({"id": at, "output": output, "reference": reference})
    return cases


def relations(count: int, seed: int = 7) -> list[dict]:
    """Pairs of input and score, along lines that are the same or not."""
    chance = random.Random(seed)

    def sample(slope: float, width: int, count: int) -> list:
        rows = [[chance.gauss(0, 2) for _ in range(width)] for _ in range(count)]
        return [[row if width > 1 else row[0], slope * sum(row) + chance.gauss(0, 1)] for row in rows]

    cases = []
    for at in range(count):
        width = chance.choice([1, 1, 3])
        output = sample(chance.choice([1, 1, -1, 0.5]), width, chance.randint(8, 60))
        cases.append({"id": at, "output": output, "reference": sample(1, width, chance.randint(8, 60))})
    return cases


def segments(count: int, seed: int = 7) -> list[dict]:
    """Samples by segment, some of which have moved."""
    chance = random.Random(seed)
    cases = []
    for at in range(count):
        names = [f"s{number}" for number in range(chance.randint(1, 8))]
        output, reference = (
            {name: [chance.gauss(shift, 1) for _ in range(chance.randint(5, 40))] for name in names}
            for shift in (chance.choice([0, 0, 1]), 0)
        )
        cases.append({"id": at, "output": output, "reference": reference})
    return cases


def schemas(count: int, seed: int = 7) -> list[dict]:
    """Values that fit a schema, or nearly."""
    chance = random.Random(seed)

    def schema(depth: int) -> dict:
        kind = chance.choice(["integer", "number", "string", "boolean", "null", "array", "object"][: 7 if depth else 5])
        match kind:
            case "integer" | "number":
                low = chance.randint(-3, 3)
                return {"type": kind, "minimum": low, "exclusiveMaximum": low + chance.randint(1, 9)}
            case "string":
                return chance.choice(
                    [
                        {"type": kind, "minLength": 1, "maxLength": 4},
                        {"enum": ["a", "b"]},
                        {"type": kind, "pattern": "^[a-c]+$"},
                    ]
                )
            case "array":
                return {"type": kind, "items": schema(depth - 1), "maxItems": 3, "uniqueItems": chance.random() < 0.3}
            case "object":
                names = chance.sample("abcd", 3)
                below = {name: schema(depth - 1) for name in names}
                return {
                    "type": kind,
                    "properties": below,
                    "required": names[:1],
                    "additionalProperties": chance.random() < 0.5,
                }
        return chance.choice([{"type": kind}, {"anyOf": [{"type": kind}, {"const": 1}]}])

    def value(rules: dict, depth: int):
        if chance.random() < 0.1:
            return chance.choice([None, 1, -1.5, 2.0, "a", "", True, [], {}])
        match rules.get("type"):
            case "integer":
                return rules["minimum"] + chance.randint(-1, 9)
            case "number":
                return rules["minimum"] + chance.random() * 10
            case "string":
                return "".join(chance.choices("abcdü", k=chance.randint(0, 5)))
            case "boolean":
                return chance.random() < 0.5
            case "array":
                return [value(rules["items"], depth - 1) for _ in range(chance.randint(0, 4))]
            case "object":
                names = [name for name in rules["properties"] if chance.random() < 0.8]
                return {name: value(rules["properties"][name], depth - 1) for name in names}
        return chance.choice([None, 1, "a"])

    cases = []
    for at in range(count):
        rules = schema(3)
        cases.append({"id": at, "schema": rules, "output": json.dumps(value(rules, 3))})
    return cases


def pairs(count: int, seed: int = 7) -> list[dict]:
    """What two raters say of items, who agree more often than by chance. No case has one label only."""
    chance = random.Random(seed)
    cases = []
    for at in range(count):
        labels = chance.randint(2, 6)
        said = [[0, 1]]
        for _ in range(chance.randint(4, 120)):
            one = chance.randrange(labels)
            said.append([one, one if chance.random() < 0.6 else chance.randrange(labels)])
        cases.append({"id": at, "labels": labels, "pairs": said})
    return cases


def raters(count: int, seed: int = 7) -> list[dict]:
    """How often each label was given to an item, by as many raters each."""
    chance = random.Random(seed)
    cases = []
    for at in range(count):
        labels, each = chance.randint(2, 5), chance.randint(2, 8)
        items = []
        for _ in range(chance.randint(3, 30)):
            given = collections.Counter(min(int(chance.expovariate(1)), labels - 1) for _ in range(each))
            items.append([given[label] for label in range(labels)])
        items.append([each - 1, 1] + [0] * (labels - 2))
        cases.append({"id": at, "items": items})
    return cases


def ratings(count: int, seed: int = 7) -> list[dict]:
    """Numbers that raters gave to units; not every one to every unit."""
    chance = random.Random(seed)
    cases = []
    for at in range(count):
        units = [[0.0, 1.0]]
        for _ in range(chance.randint(3, 40)):
            middle = chance.randint(0, 4)
            units.append([float(middle + chance.choice([0, 0, 0, 1, -1])) for _ in range(chance.randint(1, 6))])
        cases.append({"id": at, "units": units})
    return cases


def counts(count: int, seed: int = 7) -> list[dict]:
    chance = random.Random(seed)
    cases = []
    for at in range(count):
        most = chance.choice([3, 30, 3_000])
        gained, lost = chance.randint(0, most), chance.randint(1, most)
        cases.append({"id": at, "gained": gained, "lost": lost, "all": gained + lost})
    return cases


def values(count: int, most: int = 300, seed: int = 7) -> list[dict]:
    """Differences, with ties and zeros in every second case."""
    chance = random.Random(seed)
    cases = []
    for at in range(count):
        digits = chance.choice([1, 9])
        found = [round(chance.gauss(0.2, 1), digits) for _ in range(chance.randint(2, most))]
        cases.append({"id": at, "values": [*found, 0.75]})
    return cases
