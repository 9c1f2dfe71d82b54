"""English-like text: words with Zipf's frequencies, in sentences, in one large file.

Real text can't be shipped and a short one repeated would compress absurdly. Sentences are drawn from
words by their rank, so that general-purpose compressors make of them about what they make of prose.
The file is drawn once from a fixed seed and kept; spans take sentences from random places in it.
"""

from __future__ import annotations

import itertools
import mmap
import random
from pathlib import Path

# So much that two spans which are compressed together rarely share a sentence.
MEGABYTES = 128
# In the name of the file: other words or rules need another one.
VERSION = 1
# Somewhat above 1 because the order of the words says nothing here, which in prose it does.
ZIPF = 1.12
# What only the spans that say so hold; nothing else begins like it.
RARE_WORD = "zyquithorn"

GLUE = """the of and to a in is that for it you with on as this be are not have from or by your we can will if an
which has was but all when there their they what more may should one been were its than into would each please after
no only other also do so before then between where any these those such must both through during because while about
does how very most some same could under first last next new per our my them he she his her at up out over again
still"""

NOUNS = """order customer account invoice payment request response service answer question message model system user
policy ticket product refund delivery address number date contract period balance error report document table column
value price cost team manager agent session request schedule meeting project deadline task summary paragraph sentence
example reason problem solution step result detail item list record field file folder page section reference source
record network server database query index cluster node region replica backup version release feature change review
branch commit build test deployment incident alert metric trace latency budget limit quota token key secret
permission role group member owner partner vendor supplier warehouse shipment package label tracking route driver
vehicle station platform train ticket passenger seat booking hotel flight airport luggage insurance claim premium
coverage doctor patient symptom treatment dose medicine hospital appointment nurse temperature pressure sample
measurement device sensor signal battery engine pump valve filter pipe material steel concrete bridge tower window
door roof floor garden kitchen recipe flour butter sugar oven minute hour day week month quarter year season weather
rain snow wind storm river mountain valley forest field farm harvest animal horse bird fish market store shelf
discount coupon receipt tax salary loan interest mortgage bank transfer currency exchange share fund investor risk
profit revenue margin forecast growth decline strategy"""

VERBS = """ask answer check confirm explain describe include contain require expect provide return send receive
create update delete change move copy compare measure count calculate estimate reduce increase improve replace remove
restore start stop open close read write review approve reject cancel refund ship deliver track book schedule plan
prepare build test deploy monitor alert restart configure enable disable limit allow deny protect encrypt verify
validate parse format translate summarise extract classify rank filter sort group merge split store load search find
match join report"""

ADJECTIVES = """available important current previous recent complete correct wrong missing different similar specific
general possible necessary additional certain clear early late long short large small high low fast slow safe secure
public private internal external local remote simple complex direct full empty open closed ready active inactive
valid invalid expected unexpected useful likely common rare several many few main final initial daily weekly monthly
annual total average partial manual automatic temporary permanent legal medical technical financial regional national"""

SYLLABLES = "ba co da el fi ga hu in jo ka lu ma ne or pa qui ra si ta ul ve wi xa yo ze bri cla dro fle gri"
ENDINGS = "n r s l th nt rk sen ton ville berg stein ford ia ex ix um os ara eld"


def vocabulary(random_: random.Random) -> list[str]:
    """Every word, the most frequent first."""
    nouns, verbs, adjectives = NOUNS.split(), VERBS.split(), ADJECTIVES.split()
    syllables, endings = SYLLABLES.split(), ENDINGS.split()
    content = list(dict.fromkeys([*nouns, *verbs, *adjectives]))
    forms = (
        [noun + "s" for noun in nouns]
        + [verb + "ing" for verb in verbs]
        + [adjective + "ly" for adjective in adjectives]
    )
    compounds = [
        f"{a}-{b}" for a, b in itertools.product(random_.sample(nouns, 40), random_.sample(nouns, 30)) if a != b
    ]
    names: dict[str, None] = {}
    while len(names) < 5_000:
        middle = "".join(random_.choices(syllables, k=random_.randint(1, 2)))
        names["".join([random_.choice(syllables), middle, random_.choice(endings)]).capitalize()] = None
    tail = [*forms, *compounds, *names]
    random_.shuffle(content)
    random_.shuffle(tail)
    return list(dict.fromkeys([*GLUE.split(), *content, *tail]))


def sentences(path: Path) -> None:
    """Writes the file: a sentence a line, of characters that JSON and protobuf take as they are."""
    draw = random.Random(20_261_124)
    words = vocabulary(draw)
    weights = list(itertools.accumulate((rank + 2.7) ** -ZIPF for rank in range(len(words))))
    lengths = [7, 9, 11, 12, 13, 14, 16, 18, 21, 25]
    temporary = path.with_suffix(".tmp")
    with temporary.open("w", encoding="ascii") as file:
        file.write("\n")
        while file.tell() < MEGABYTES << 20:
            drawn = draw.choices(words, cum_weights=weights, k=200_000)
            at, lines = 0, []
            while at < len(drawn):
                length = draw.choice(lengths)
                sentence = drawn[at : at + length]
                if length > 12 and len(sentence) > length // 2:
                    sentence[length // 2] += ","
                text = " ".join(sentence)
                lines.append(text[:1].upper() + text[1:] + ".\n")
                at += length
            file.write("".join(lines))
    temporary.rename(path)


class Sentences:
    """The file, mapped: processes share it."""

    def __init__(self, folder: Path) -> None:
        path = folder / f"sentences-{VERSION}-{MEGABYTES}.txt"
        if not path.exists():
            folder.mkdir(parents=True, exist_ok=True)
            sentences(path)
        with path.open("rb") as file:
            self.bytes = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        # The last kilobytes are never begun at, so that a line always ends.
        self.room = len(self.bytes) - 4_096

    def take(self, draw: random.Random, characters: int) -> str:
        """Sentences of about so many characters, each from another place."""
        parts, length = [], 0
        find, text, room, uniform = self.bytes.find, self.bytes, self.room, draw.random
        while length < characters:
            start = find(b"\n", int(uniform() * room)) + 1
            end = find(b"\n", start)
            parts.append(text[start:end])
            length += end - start + 1
        return b" ".join(parts).decode("ascii")
