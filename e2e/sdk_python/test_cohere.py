"""Cohere's SDK: texts sorted by a question, and embeddings, at whoever has them in Cohere's words."""

from __future__ import annotations

import cohere
import pytest

from harness import KEY, Signalbox

DOCUMENTS = ["A kettle", "A signal box routes trains", "A box"]
QUESTION = "What is a signal box?"


def client(box: Signalbox) -> cohere.ClientV2:
    return cohere.ClientV2(api_key=KEY, base_url=box.url)


@pytest.mark.parametrize("model", ["sim/small", "up-openai/rerank-v3.5"])
def test_texts_are_sorted(box: Signalbox, model: str) -> None:
    answer = client(box).rerank(model=model, query=QUESTION, documents=DOCUMENTS, top_n=2)
    assert [result.index for result in answer.results] == [1, 2]
    assert answer.results[0].relevance_score > answer.results[1].relevance_score
    assert answer.meta.billed_units.search_units == 1
    old = cohere.Client(api_key=KEY, base_url=box.url)
    assert old.rerank(model=model, query=QUESTION, documents=DOCUMENTS, top_n=1).results[0].index == 1


def test_texts_are_embedded(box: Signalbox) -> None:
    answer = client(box).embed(
        model="up-openai/embed-v4.0", input_type="search_query", texts=["a", "b"], embedding_types=["float"]
    )
    assert len(answer.embeddings.float_) == 2
    assert answer.meta.billed_units.input_tokens == 2


def test_errors_are_the_right_exceptions(box: Signalbox) -> None:
    with pytest.raises(cohere.BadRequestError, match="no rerank endpoint"):
        client(box).rerank(model="up-anthropic/small", query=QUESTION, documents=DOCUMENTS)
    with pytest.raises(cohere.NotFoundError, match="nope"):
        client(box).rerank(model="nope/x", query=QUESTION, documents=DOCUMENTS)
    with pytest.raises(cohere.UnauthorizedError):
        cohere.ClientV2(api_key="wrong", base_url=box.url).rerank(
            model="sim/small", query=QUESTION, documents=DOCUMENTS
        )
