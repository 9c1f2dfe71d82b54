#!/usr/bin/env python3
"""Fits the faithfulness model, and says what it is worth on sources that it hasn't seen.

    python3 bench/metrics/fit.py --data DIR [--write]

DIR/faithfulness/dev.jsonl has lines `{"context", "output", "label", "category"}`, of sources whose licences permit
training. Each category is held out in turn; `--write` then fits on all of them and writes
crates/metrics/src/grounding/weights.rs. Categories and labels weigh the same.
"""

import argparse
import json
import pathlib
import subprocess

import run

ROOT = run.ROOT
WEIGHTS = ROOT / "crates" / "metrics" / "src" / "grounding" / "weights.rs"
# The inverse of the penalty on weights: strong, since sources differ more than rows of one.
PENALTY = 0.02


def features(data: pathlib.Path) -> list[dict]:
    command = [
        "cargo",
        "run",
        "--release",
        "--quiet",
        "--package",
        "signalbox-metrics",
        "--example",
        "grounding_features",
    ]
    text = (data / "faithfulness" / "dev.jsonl").read_bytes()
    done = subprocess.run(command, cwd=ROOT, input=text, capture_output=True, check=True)
    return [json.loads(line) for line in done.stdout.decode().split("\n") if line]


def fit(x, y, kinds):
    import numpy
    from sklearn.linear_model import LogisticRegression

    weights = numpy.zeros(len(y))
    for kind in set(kinds):
        for label in (0, 1):
            group = (kinds == kind) & (y == label)
            weights[group] = 1 / max(1, group.sum())
    weights *= len(y) / weights.sum()
    mean, scale = x.mean(0), x.std(0)
    scale[scale == 0] = 1
    model = LogisticRegression(C=PENALTY, max_iter=5_000, tol=1e-8)
    model.fit((x - mean) / scale, y, sample_weight=weights)
    slopes = model.coef_[0] / scale
    return slopes, model.intercept_[0] - (slopes * mean).sum()


def held_out(x, y, kinds) -> None:
    import numpy
    from sklearn.metrics import roc_auc_score

    total = []
    for kind in sorted(set(kinds)):
        train, test = kinds != kind, kinds == kind
        slopes, bias = fit(x[train], y[train], kinds[train])
        z = x[test] @ slopes + bias
        right = [((z >= 0) == label)[y[test] == label].mean() for label in (0, 1)]
        total.append((numpy.mean(right), roc_auc_score(y[test], z)))
        print(f"{kind:24} balanced accuracy {total[-1][0]:.3f}  AUROC {total[-1][1]:.3f}")
    print("mean                     balanced accuracy {:.3f}  AUROC {:.3f}".format(*numpy.mean(total, 0)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=pathlib.Path, required=True)
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    run.enter()
    import numpy

    rows = run.rows_of(options.data, "faithfulness")
    found = features(options.data)
    names = list(found[0])
    x = numpy.array([[row[name] for name in names] for row in found])
    y = numpy.array([row["label"] for row in rows])
    kinds = numpy.array([row["category"] for row in rows])
    held_out(x, y, kinds)
    slopes, bias = fit(x, y, kinds)
    if options.write:
        lines = "".join(f"    {slope:.6f}, // {name}\n" for name, slope in zip(names, slopes, strict=True))
        WEIGHTS.write_text(
            "//! The model's weights, written by `bench/metrics/fit.py`.\n\nuse super::features::NAMES;\n\n"
            f"/// What an answer gets that has none of the features.\npub(super) const BIAS: f64 = {bias:.6f};\n\n"
            f"/// By feature, in the order of [`NAMES`].\n"
            f"pub(super) const WEIGHTS: [f64; NAMES.len()] = [\n{lines}];\n",
            encoding="utf-8",
        )
        subprocess.run(["rustfmt", "--edition", "2024", WEIGHTS], check=True)


if __name__ == "__main__":
    main()
