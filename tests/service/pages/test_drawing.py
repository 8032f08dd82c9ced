"""The page as text, drawn from plain data."""

from __future__ import annotations

import base64
import hashlib
import re
from datetime import UTC, datetime, timedelta

import pytest

from service.pages.drawing import CONTENT_SECURITY_POLICY, age, draw, length, score, span
from service.pages.view import HeldOutScore, HomePage, JobRow, ModelRow
from tests.outline import Outline

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
HOSTILE = "<script>alert(1)</script>\"'&{{ 7 * 7 }}"


def model(**changes: object) -> ModelRow:
    row = {
        "name": "gun-point",
        "version": "3",
        "published": NOW - timedelta(minutes=5),
        "estimator": "ExtraTreesClassifier",
        "about": "2 classes, 50 cases",
        "held_out": HeldOutScore("accuracy", 0.9, 0.5, "majority class", 0.7, 0.98, 13),
    }
    return ModelRow(**(row | changes))  # type: ignore[arg-type]  # the keys are the row's own


def job(state: str = "running", **changes: object) -> JobRow:
    row = {"id": "job-1", "model": "gun-point", "state": state, "submitted": NOW}
    return JobRow(**(row | changes))  # type: ignore[arg-type]  # the keys are the row's own


def page(*rows: ModelRow | JobRow, **changes: object) -> HomePage:
    models = tuple(r for r in rows if isinstance(r, ModelRow))
    jobs = tuple(r for r in rows if isinstance(r, JobRow))
    whole = {"models": models, "jobs": jobs, "n_jobs": len(jobs)} | changes
    return HomePage(NOW, "http://127.0.0.1:3000", **whole)  # type: ignore[arg-type]  # as above


def test_shows_the_held_out_score_beside_the_majority_score() -> None:
    text = draw(page(model()))
    assert "<b>0.900</b> accuracy" in text
    assert "0.500 majority class" in text
    assert "13 cases held back, 95 % interval 0.700 to 0.980" in text


def test_draws_the_score_as_a_bar_with_a_mark_at_the_baseline() -> None:
    outline = Outline(draw(page(model())))
    assert [bar["width"] for bar in outline.all("rect", "value")] == ["180.0"]
    assert [mark["x1"] for mark in outline.all("line", "mark")] == ["100.0"]
    assert [(r["x1"], r["x2"]) for r in outline.all("line", "range")] == [("140.0", "196.0")]


def test_keeps_a_score_below_zero_on_the_bar_and_exact_in_the_text() -> None:
    held_out = HeldOutScore("R²", -0.25, -0.02, "mean")
    text = draw(page(model(held_out=held_out)))
    assert Outline(text).all("rect", "value")[0]["width"] == "0.0"
    assert "<b>−0.250</b> R²" in text  # noqa: RUF001 - the typographic minus is meant
    assert "interval" not in text


def test_says_so_when_no_case_was_held_back() -> None:
    row = model(held_out=None, cross_validation="accuracy 0.778", note="Each class needs 4 cases.")
    text = draw(page(row))
    assert "Each class needs 4 cases." in text
    assert "Cross-validation, optimistic: accuracy 0.778" in text
    assert Outline(text).all("rect", "value") == []


@pytest.mark.parametrize("state", ["queued", "running"])
def test_draws_itself_again_while_a_job_is_open(state: str) -> None:
    metas = Outline(draw(page(job(state)))).all("meta")
    assert {"http-equiv": "refresh", "content": "3"} in metas


@pytest.mark.parametrize("state", ["succeeded", "failed", "cancelled"])
def test_stays_as_it_is_when_every_job_is_over(state: str) -> None:
    outline = Outline(draw(page(job(state))))
    assert not any("http-equiv" in m for m in outline.all("meta"))


def test_shows_how_far_a_running_job_has_come() -> None:
    text = draw(page(job(share=0.456, doing="comparing models")))
    assert "46 %, comparing models" in text
    bars = Outline(text).all("svg", "bar")
    assert [bar["aria-valuenow"] for bar in bars] == ["46"]


def test_shows_what_the_search_has_found_and_what_it_has_spent() -> None:
    text = draw(page(job(budget_share=0.384, standing="34 pipelines tried\n2 of MemoryError")))
    assert "38 % of the budget" in text
    assert ">34 pipelines tried\n2 of MemoryError</p>" in text
    assert "of the budget" not in draw(page(job()))
    assert "34 pipelines" not in draw(page(job("failed", standing="34 pipelines tried")))


def test_shows_why_a_job_failed_and_how_long_it_took() -> None:
    text = draw(page(job("failed", reason="labels: 3 ids.", ended=NOW + timedelta(seconds=95))))
    assert "labels: 3 ids." in text
    assert "took 1 min 35 s" in text


def test_says_how_many_older_jobs_are_left_out() -> None:
    assert "the newest 1 of 40" in draw(page(job("failed"), n_jobs=40))


def test_tells_a_newcomer_the_first_request() -> None:
    text = draw(page())
    assert "curl http://127.0.0.1:3000/train_pipeline" in text
    assert "No job has run." in text


def test_tells_where_the_first_model_will_appear_while_a_job_runs() -> None:
    text = draw(page(job()))
    assert "The first appears here when its job has succeeded." in text
    assert "curl" not in text


def test_leaves_the_jobs_out_where_the_service_runs_none() -> None:
    text = draw(page(has_jobs=False))
    assert "Jobs" not in text
    assert "train_pipeline" not in text
    assert "No model has been published yet." in text


def test_leads_to_the_reports_of_models_and_of_jobs() -> None:
    outline = Outline(
        draw(page(model(report="models/a/1/report"), job(report="models/b/2/report")))
    )
    assert {"href": "models/a/1/report"} in outline.all("a")
    assert {"href": "models/b/2/report"} in outline.all("a")
    assert "report</a>" not in draw(page(model(), job()))


def test_warns_of_a_model_that_does_not_beat_its_baselines() -> None:
    assert "No better than its baselines" in draw(page(model(is_weak=True)))
    assert "No better than its baselines" not in draw(page(model()))


def test_escapes_every_text_of_the_data() -> None:
    whole = page(
        model(name=HOSTILE, estimator=HOSTILE, about=HOSTILE, note=HOSTILE, version=HOSTILE),
        model(held_out=None, cross_validation=HOSTILE),
        job(id=HOSTILE, model=HOSTILE, doing=HOSTILE, standing=HOSTILE, reason=HOSTILE),
        troubles=(HOSTILE,),
    )
    text = draw(whole)
    outline = Outline(text)
    assert outline.all("script") == []
    assert "{{ 7 * 7 }}" in text
    assert all("<" not in (a["href"] or "") for a in outline.all("a"))


def test_needs_no_script_and_nothing_from_outside() -> None:
    text = draw(page(model(), job()))
    outline = Outline(text)
    assert outline.all("script") == []
    sources = [a.get("src") or a.get("href") or "" for _, a in outline.tags]
    assert not any(s.startswith(("http", "//", "/")) for s in sources)
    assert not any(key.startswith("on") or key == "style" for _, a in outline.tags for key in a)


def test_sends_a_policy_that_allows_its_own_style_sheet_and_no_other() -> None:
    sheet = re.search(r"<style>(.*?)</style>", draw(page()), re.DOTALL)
    assert sheet is not None
    digest = base64.b64encode(hashlib.sha256(sheet[1].encode()).digest()).decode()
    assert f"style-src 'sha256-{digest}'" in CONTENT_SECURITY_POLICY
    assert "default-src 'none'" in CONTENT_SECURITY_POLICY
    assert "@import" not in sheet[1]
    assert "url(" not in sheet[1]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-1, "0 s"),
        (59.4, "59 s"),
        (59.6, "1 min 00 s"),
        (125, "2 min 05 s"),
        (3600, "1 h 00 min"),
        (12_060, "3 h 21 min"),
    ],
)
def test_writes_a_length_of_time_in_two_units(seconds: float, text: str) -> None:
    assert span(seconds) == text


@pytest.mark.parametrize(
    ("ago", "text"),
    [
        (timedelta(seconds=-3), "0 s ago"),
        (timedelta(seconds=59), "59 s ago"),
        (timedelta(minutes=59, seconds=59), "59 min ago"),
        (timedelta(hours=23), "23 h ago"),
        (timedelta(days=1), "1 day ago"),
        (timedelta(days=30), "30 days ago"),
        (timedelta(days=31), "2026-10-23"),
    ],
)
def test_writes_an_age_in_its_largest_unit(ago: timedelta, text: str) -> None:
    assert age(NOW - ago, NOW) == text


@pytest.mark.parametrize(("value", "text"), [(-1, "0.0"), (0.5, "100.0"), (7, "200.0")])
def test_keeps_a_bar_within_its_track(value: float, text: str) -> None:
    assert length(value) == text


def test_writes_a_negative_score_with_a_true_minus() -> None:
    assert score(-0.5) == "−0.500"  # noqa: RUF001 - the typographic minus is meant
