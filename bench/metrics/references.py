"""What the reference implementations say: a function for each metric and its options.

Each takes a case, `{"output", "reference", …}`, and returns a number.
"""

import json

import jsonschema
import pytrec_eval
import sacrebleu
from nltk.translate.meteor_score import single_meteor_score
from rapidfuzz.distance import JaroWinkler, Levenshtein
from river.drift import ADWIN, PageHinkley
from rouge_score.rouge_scorer import RougeScorer
from scipy import stats
from scipy.spatial.distance import jensenshannon


class NoSynonyms:
    """In WordNet's place: METEOR with exact words and stems only."""

    def synsets(self, _word: str) -> list:
        return []


def references(case: dict) -> list[str]:
    found = case["reference"]
    return found if isinstance(found, list) else [found]


def bleu(tokenize: str = "13a", smooth: str = "exp", lowercase: bool = False, effective_order: bool = True):
    metric = sacrebleu.BLEU(
        tokenize=tokenize, smooth_method=smooth, lowercase=lowercase, effective_order=effective_order
    )
    return lambda case: metric.sentence_score(case["output"], references(case)).score


def chrf(**options):
    metric = sacrebleu.CHRF(**options)
    return lambda case: metric.sentence_score(case["output"], references(case)).score


def ter(**options):
    metric = sacrebleu.TER(**options)
    return lambda case: metric.sentence_score(case["output"], references(case)).score


def rouge(kind: str, stem: bool):
    scorer = RougeScorer([kind], use_stemmer=stem)
    return lambda case: scorer.score_multi(references(case), case["output"])[kind].fmeasure


def meteor(case: dict) -> float:
    words = case["output"].split()
    found = (single_meteor_score(text.split(), words, wordnet=NoSynonyms()) for text in references(case))
    return max(found)


def jaccard(case: dict) -> float:
    left = set(case["output"].split())
    right = (set(text.split()) for text in references(case))
    return max(len(left & other) / len(left | other) if left | other else 1.0 for other in right)


def best(compare):
    return lambda case: max(compare(case["output"], text) for text in references(case))


def ranking(measure: str):
    def score(case: dict) -> float:
        judged = {"q": {name: int(grade) for name, grade in case["reference"].items()}}
        run = {"q": {name: float(len(case["output"]) - at) for at, name in enumerate(case["output"])}}
        found = pytrec_eval.RelevanceEvaluator(judged, {measure}).evaluate(run)
        return next(iter(found["q"].values()))

    return score


TEXT = {
    "bleu": bleu(),
    "bleu tokenize=intl": bleu(tokenize="intl"),
    "bleu tokenize=char": bleu(tokenize="char"),
    "bleu tokenize=zh": bleu(tokenize="zh"),
    "bleu tokenize=none": bleu(tokenize="none"),
    "bleu smooth=floor": bleu(smooth="floor"),
    "bleu smooth=add-k": bleu(smooth="add-k"),
    "bleu smooth=none": bleu(smooth="none"),
    "bleu lowercase=true": bleu(lowercase=True),
    "bleu effective_order=false": bleu(effective_order=False),
    "chrf": chrf(),
    "chrf whitespace=true": chrf(whitespace=True),
    "chrf eps_smoothing=true": chrf(eps_smoothing=True),
    "chrf lowercase=true": chrf(lowercase=True),
    "chrf++": chrf(word_order=2),
    "ter": ter(),
    "ter case_sensitive=true": ter(case_sensitive=True),
    "ter normalized=true": ter(normalized=True),
    "ter no_punct=true": ter(no_punct=True),
    "rouge1": rouge("rouge1", True),
    "rouge2": rouge("rouge2", True),
    "rougeL": rouge("rougeL", True),
    "rougeLsum": rouge("rougeLsum", True),
    "rouge1 stem=false": rouge("rouge1", False),
    "rougeLsum stem=false": rouge("rougeLsum", False),
    "meteor": meteor,
    "levenshtein": best(Levenshtein.normalized_similarity),
    "jaro_winkler": best(JaroWinkler.similarity),
    "jaccard": jaccard,
}

RANKING = {
    "ndcg": ranking("ndcg_cut_10"),
    "map": ranking("map_cut_10"),
    "mrr k=0": ranking("recip_rank"),
    "precision_at_k": ranking("P_10"),
    "recall_at_k": ranking("recall_10"),
    "hit_rate": ranking("success_10"),
}


def contingency(case: dict) -> float:
    names = sorted({*case["output"], *case["reference"]})
    table = [[sample.count(name) for name in names] for sample in (case["output"], case["reference"])]
    return float(stats.chi2_contingency(table, correction=False).pvalue)


def shares(case: dict) -> float:
    names = sorted({*case["output"], *case["reference"]})
    return float(
        jensenshannon(*([case[part].count(name) for name in names] for part in ("output", "reference")), base=2)
    )


def changes(make):
    def count(case: dict) -> float:
        test, found = make(), 0
        for value in case["output"]:
            test.update(value)
            found += test.drift_detected
        return float(found)

    return count


NUMBERS = {
    "ks": lambda case: float(stats.ks_2samp(case["output"], case["reference"], method="exact").pvalue),
    "ks statistic=true": lambda case: float(stats.ks_2samp(case["output"], case["reference"]).statistic),
    "wasserstein": lambda case: float(stats.wasserstein_distance(case["output"], case["reference"])),
}

SERIES = {
    "adwin": changes(ADWIN),
    "adwin delta=0.05 clock=8": changes(lambda: ADWIN(delta=0.05, clock=8)),
    "page_hinkley": changes(PageHinkley),
    "page_hinkley threshold=5": changes(lambda: PageHinkley(threshold=5)),
}

CATEGORIES = {"chi_square": contingency, "jensen_shannon": shares}


def by_schema(case: dict) -> float:
    return float(jsonschema.Draft202012Validator(case["schema"]).is_valid(json.loads(case["output"])))


SCHEMAS = {"json_schema": by_schema}
