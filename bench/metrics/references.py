"""What the reference implementations say: a function for each metric and its options.

Each takes a case, `{"output", "reference", …}`, and returns a number.
"""

import collections
import functools
import gc
import json
import logging
import re
import string

import jsonschema
import numpy
import pandas
import pytrec_eval
import sacrebleu
from evidently.legacy.calculations.stattests.psi import psi_stat_test
from evidently.legacy.core import ColumnType
from nltk.metrics.agreement import AnnotationTask
from nltk.metrics.distance import binary_distance, interval_distance
from nltk.translate.meteor_score import single_meteor_score
from rapidfuzz.distance import JaroWinkler, Levenshtein
from river.drift import ADWIN, PageHinkley
from rouge_score.rouge_scorer import RougeScorer
from scipy import stats
from scipy.spatial.distance import jensenshannon, pdist
from sklearn.metrics import cohen_kappa_score
from sklearn.metrics.pairwise import cosine_similarity, rbf_kernel
from sklearn.naive_bayes import GaussianNB

# It tells every single sentence that scores of sentences are rarely of use.
logging.getLogger("sacrebleu").setLevel(logging.ERROR)


class NoSynonyms:
    """In WordNet's place: METEOR with exact words and stems only."""

    def synsets(self, _word: str) -> list:
        return []


def forget() -> None:
    """Empties what the libraries keep of the texts that they saw, as sacreBLEU does of 65,536 of them."""
    for one in gc.get_objects():
        if isinstance(one, functools._lru_cache_wrapper):
            one.cache_clear()


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


def squad_words(text: str) -> list[str]:
    """As evaluate-v1.1.py of SQuAD."""
    text = "".join(char for char in text.lower() if char not in string.punctuation)
    return re.sub(r"\b(a|an|the)\b", " ", text).split()


def squad(output: str, reference: str) -> float:
    own, other = squad_words(output), squad_words(reference)
    both = sum((collections.Counter(own) & collections.Counter(other)).values())
    if not own or not other:
        return float(own == other)
    return 2 * both / (len(own) + len(other))


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
    "token_f1": best(squad),
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


def cosine(case: dict) -> float:
    others = case["reference"] if isinstance(case["reference"][0], list) else [case["reference"]]
    return float(cosine_similarity([case["output"]], others).max())


VECTORS = {"embedding_similarity": cosine}


def mmd(case: dict) -> float:
    one, two = numpy.array(case["output"]), numpy.array(case["reference"])
    m, n = len(one), len(two)
    both = numpy.concatenate([one, two])
    sigma = numpy.median(pdist(both))
    kernel = rbf_kernel(both, gamma=1 / (2 * sigma**2))
    own, other = kernel[:m, :m].sum() - m, kernel[m:, m:].sum() - n
    found = own / (m * (m - 1)) + other / (n * (n - 1)) - 2 * kernel[:m, m:].mean()
    return max(0.0, float(found))


def classifier(statistic: bool):
    def score(case: dict) -> float:
        one, two = numpy.array(case["output"]), numpy.array(case["reference"])
        seen = numpy.concatenate([one[::2], two[::2]])
        model = GaussianNB(priors=[0.5, 0.5]).fit(seen, [1] * len(one[::2]) + [0] * len(two[::2]))
        own, other = (model.predict_joint_log_proba(part) @ numpy.array([-1.0, 1.0]) for part in (one[1::2], two[1::2]))
        test = stats.mannwhitneyu(own, other, alternative="greater", method="asymptotic", use_continuity=False)
        return float(test.statistic) / (len(own) * len(other)) if statistic else float(test.pvalue)

    return score


POINTS = {
    "mmd statistic=true": mmd,
    "classifier_two_sample": classifier(False),
    "classifier_two_sample statistic=true": classifier(True),
}


def chow(case: dict) -> float:
    def left(rows: list) -> float:
        x = numpy.array([[1.0, *(row[0] if isinstance(row[0], list) else [row[0]])] for row in rows])
        y = numpy.array([row[1] for row in rows])
        return float(((y - x @ numpy.linalg.lstsq(x, y, rcond=None)[0]) ** 2).sum())

    one, two = case["output"], case["reference"]
    k = 2 if not isinstance(one[0][0], list) else 1 + len(one[0][0])
    apart = left(one) + left(two)
    below = len(one) + len(two) - 2 * k
    return float(stats.f.sf((left(one + two) - apart) / k / (apart / below), k, below))


RELATIONS = {"concept_drift": chow}


def by_segment(adjust):
    def least(case: dict) -> float:
        pairs = ((values, case["reference"][name]) for name, values in case["output"].items())
        return min(adjust([float(stats.ks_2samp(*pair, method="exact").pvalue) for pair in pairs]))

    return least


SEGMENTS = {
    "segment_drift": by_segment(lambda found: [min(1.0, len(found) * min(found))]),
    "segment_drift correction=benjamini_hochberg": by_segment(stats.false_discovery_control),
    "segment_drift correction=none": by_segment(lambda found: found),
}


def by_schema(case: dict) -> float:
    return float(jsonschema.Draft202012Validator(case["schema"]).is_valid(json.loads(case["output"])))


SCHEMAS = {"json_schema": by_schema}


def stability(kind: ColumnType):
    """Intervals as Sturges has them: 8 for 65 to 127 numbers in both samples together."""

    def score(case: dict) -> float:
        now, before = pandas.Series(case["output"]), pandas.Series(case["reference"])
        return float(psi_stat_test(before, now, kind, 0.1).drift_score)

    return score


BINNED = {"psi bins=8": stability(ColumnType.Numerical)}
KINDS = {"psi": stability(ColumnType.Categorical)}


def kappa(weights: str | None):
    def score(case: dict) -> float:
        one, two = zip(*case["pairs"], strict=True)
        return float(cohen_kappa_score(one, two, labels=list(range(case["labels"])), weights=weights))

    return score


KAPPAS = {
    "kappa": kappa(None),
    "kappa weights=linear": kappa("linear"),
    "kappa weights=quadratic": kappa("quadratic"),
}


def fleiss(case: dict) -> float:
    """Siegel and Castellan's K, which is Fleiss' kappa where every item has as many raters."""
    ratings = []
    for item, counts in enumerate(case["items"]):
        labels = [label for label, count in enumerate(counts) for _ in range(count)]
        ratings += [(rater, item, label) for rater, label in enumerate(labels)]
    return float(AnnotationTask(ratings).pi())


def alpha(distance):
    def score(case: dict) -> float:
        ratings = [(rater, at, value) for at, unit in enumerate(case["units"]) for rater, value in enumerate(unit)]
        return float(AnnotationTask(ratings, distance=distance).alpha())

    return score


RATINGS = {
    "krippendorff_alpha": alpha(binary_distance),
    "krippendorff_alpha difference=interval": alpha(interval_distance),
}
RATERS = {"fleiss_kappa": fleiss}


def wilson(end: str):
    def score(case: dict) -> float:
        found = stats.binomtest(case["gained"], case["all"]).proportion_ci(0.95, method="wilson")
        return float(getattr(found, end))

    return score


def student(end: int):
    def score(case: dict) -> float:
        values = case["values"]
        return float(stats.t.interval(0.95, len(values) - 1, numpy.mean(values), stats.sem(values))[end])

    return score


def flips(case: dict) -> float:
    """Every way to turn signs."""
    test = stats.permutation_test(
        (case["values"],), numpy.mean, permutation_type="samples", n_resamples=numpy.inf, vectorized=True
    )
    return float(test.pvalue)


COUNTS = {
    "mcnemar": lambda case: float(
        stats.binomtest(min(case["gained"], case["lost"]), case["gained"] + case["lost"]).pvalue
    ),
    "wilson end=low": wilson("low"),
    "wilson end=high": wilson("high"),
}
VALUES = {
    "student end=low": student(0),
    "student end=high": student(1),
    "quantile share=0.1": lambda case: float(numpy.quantile(case["values"], 0.1)),
    "quantile share=0.95": lambda case: float(numpy.quantile(case["values"], 0.95)),
}
FLIPS = {"permutation": flips}
