"""The report as text, and as the tags that a browser makes of it."""

from __future__ import annotations

import dataclasses
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.outline import Outline
from tests.training.report.made_up import REASONS, findings_of, panel_of, trials_of
from tideline.model import ScoreCard
from tideline.panel import Channel, Panel
from training.findings import Findings, Importance, Importances, Member
from training.report import report
from training.trial import Trial

ALLOWED = {
    *("html", "head", "meta", "title", "style", "body", "header", "main", "section", "figure"),
    *("figcaption", "h1", "h2", "h3", "p", "div", "dl", "dt", "dd", "ul", "li", "pre", "details"),
    *("summary", "table", "caption", "thead", "tbody", "tr", "th", "td"),
    *("svg", "desc", "rect", "path", "text"),
}
ATTRIBUTES = {
    *("lang", "charset", "name", "content", "class", "id", "role", "scope", "tabindex"),
    *("aria-labelledby", "aria-label", "aria-hidden", "viewbox", "preserveaspectratio"),
    *("x", "y", "width", "height", "d", "transform"),
}
HOSTILE = "</title></style><script>alert(1)</script>\"' onload=alert(1) {{ 7 * 7 }} &amp; {0}"


def classes(n_cases: int = 60, names: tuple[str, ...] = ("calm", "worn")) -> list[str]:
    return [names[i % len(names)] for i in range(n_cases)]


def binary(**changes: object) -> Findings:
    return findings_of(panel_of(), classes(), **changes)  # type: ignore[arg-type]  # its own


def many(n: int, n_cases: int = 600) -> Findings:
    names = tuple(f"species {i:03d}" for i in range(n))
    return findings_of(panel_of(n_cases), classes(n_cases, names), metric="neg_log_loss")


def numbers() -> Findings:
    values = np.random.default_rng(5).normal(size=60).tolist()
    return findings_of(panel_of(), values, task="regression", metric="r2")


def scored(findings: Findings, card: ScoreCard) -> Findings:
    document = findings.document.model_copy(update={"scores": card})
    return dataclasses.replace(findings, document=document)


@pytest.mark.parametrize("findings", [binary(), many(10), many(60), numbers()])
def test_is_one_page_that_runs_nothing_and_loads_nothing(findings: Findings) -> None:
    outline = Outline(report(findings))
    assert {tag for tag, _ in outline.tags} <= ALLOWED
    assert {key for _, attrs in outline.tags for key in attrs} <= ATTRIBUTES
    [sheet] = [text for text in outline.texts if ":root" in text]
    assert "url(" not in sheet
    assert "@import" not in sheet
    ids = [attrs["id"] for _, attrs in outline.tags if "id" in attrs]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("findings", [binary(), many(60), numbers()])
def test_what_scrolls_is_reached_by_keys_and_has_a_name(findings: Findings) -> None:
    wide = [
        attrs for attrs in Outline(report(findings)).all("div") if attrs.get("class") == "scroll"
    ]
    assert len(wide) > 3
    assert all(attrs["tabindex"] == "0" and attrs["aria-label"] for attrs in wide)


def test_every_picture_is_told_in_words() -> None:
    outline = Outline(report(binary()))
    ids = {attrs.get("id") for _, attrs in outline.tags}
    pictures = [a for a in outline.all("svg") if a.get("aria-hidden") != "true"]
    assert len(pictures) > 5
    assert all(set((a["aria-labelledby"] or "").split()) <= ids for a in pictures)


def test_names_the_three_scores_for_what_they_are() -> None:
    findings = binary()
    text = report(findings)
    held_out = findings.document.scores.held_out or {}
    assert f'<p class="large">{held_out["roc_auc"]:.3f}</p>' in text
    assert "20 cases held out, which neither search nor fit had seen" in text
    assert "optimistic: the search chose by these folds" in text
    for name in ("majority class", "1-NN DTW", "random convolutions", "log-loss", "95 % interval"):
        assert name in text


def test_tells_that_outer_folds_spared_the_cases() -> None:
    findings = binary()
    card = findings.document.scores.model_copy(update={"held_out_by": "outer folds"})
    assert "20 cases in outer folds" in report(scored(findings, card))


def test_is_loud_where_the_model_does_not_beat_its_baselines() -> None:
    card = ScoreCard(
        held_out={"accuracy": 0.5},
        n_held_out=20,
        majority={"accuracy": 0.5},
        baselines={"1-NN DTW": {"accuracy": 0.8}},
        beats_baselines=False,
    )
    text = report(scored(binary(), card))
    assert 'class="alarm" role="alert"' in text
    assert "majority class has accuracy 0.500, this model 0.500" in text
    assert "1-NN DTW has accuracy 0.800, this model 0.500" in text
    assert 'class="alarm"' not in report(binary())


def test_is_headed_by_the_metric_that_the_spec_names() -> None:
    card = ScoreCard(
        cross_validation={"accuracy": 0.9, "balanced_accuracy": 0.7},
        held_out={"accuracy": 0.8, "balanced_accuracy": 0.6},
        held_out_interval={"accuracy": (0.7, 0.9), "balanced_accuracy": (0.51, 0.69)},
        n_held_out=20,
        majority={"accuracy": 0.75, "balanced_accuracy": 0.5},
        baselines={
            "1-NN DTW": {"accuracy": 0.5, "balanced_accuracy": 0.6},
            "random convolutions": {"accuracy": 0.9, "balanced_accuracy": 0.6},
        },
        beats_baselines=False,
    )
    text = report(scored(binary(metric="balanced_accuracy"), card))
    assert '<p class="large">0.600</p>' in text
    assert "balanced accuracy, 95 % interval 0.510 to 0.690" in text
    # A tie with a model of our own is no defeat, and none of the others has the lead.
    assert "1-NN DTW has balanced accuracy 0.600, this model 0.600" in text
    assert "convolutions has" not in text
    assert "majority class has" not in text


def test_tells_why_nothing_was_held_out() -> None:
    findings = dataclasses.replace(
        scored(binary(), ScoreCard(cross_validation={"accuracy": 0.7}, note="Too few cases.")),
        answers=None,
        positions=np.empty(0, dtype=np.intp),
        importances=None,
    )
    text = report(findings)
    assert "Too few cases." in text
    assert "no cases were spared for it" in text
    assert "No case was spared to be answered for." in text
    assert "It could not be measured" in text


def test_tells_that_there_was_no_time_for_importances() -> None:
    none = Importances("roc_auc", "held-out cases", (), (), ())
    text = report(dataclasses.replace(binary(), importances=none))
    assert "There was no time to measure it." in text


def test_a_run_that_tried_nothing_has_a_report_too() -> None:
    text = report(dataclasses.replace(binary(), trials=(), chosen=()))
    assert "0 pipelines evaluated, of which 0 failed" in text


def test_counts_failures_by_reason() -> None:
    trials = [Trial(str(i), "A", "A", "search", "features", i, failure="late") for i in range(5)]
    outline = Outline(report(binary(trials=[*trials, *trials_of(20)])))
    told = " ".join(outline.texts)
    assert "7 of 25 pipelines have no score." in told
    assert "late" in told
    assert REASONS[0] not in told.partition("Failures by reason")[0]


def test_shows_the_scores_by_type_of_model_with_the_name_of_the_metric() -> None:
    text = report(binary(metric="neg_log_loss", trials=trials_of(50, "roc_auc")))
    assert "log-loss, negative by type of model" in text
    assert "AUC by type of model" in text
    assert "AUC, of all folds together" in text


def test_lists_the_best_pipelines_by_rank() -> None:
    trials = trials_of(80)
    best = max((t for t in trials if t.failure is None), key=lambda t: t.score)
    told = report(binary(trials=trials)).partition("The best pipelines")[2]
    assert told.index(f"{best.value:.3f}") < told.index('<td class="short">2</td>')
    assert told.count('<td class="short">20</td>') == 1
    assert '<td class="short">21</td>' not in told


def test_the_published_are_among_the_best_however_they_rank() -> None:
    trials = sorted(
        (t for t in trials_of() if t.failure is None), key=lambda t: t.score, reverse=True
    )
    first, last = trials[0], trials[-1]
    chosen = (Member(0.75, first.key, first.name), Member(0.25, last.key, last.name))
    text = report(dataclasses.replace(binary(trials=trials), chosen=chosen))
    rows = text.partition("The best pipelines")[2].split("<tr>")[2:]
    published = [row for row in rows if '<td class="short">0.75</td>' in row or ">0.25<" in row]
    assert all(
        f">{rank}</td>" in row for rank, row in zip((1, len(trials)), published, strict=True)
    )
    assert f"{last.value:.3f}" in published[1]
    members = text.partition("What was published")[2].partition("</table>")[0]
    assert first.name in members
    assert last.name in members


def test_names_the_pairs_that_are_confused_most() -> None:
    labels = classes(60, ("a", "b", "c"))
    findings = findings_of(panel_of(), labels)
    assert findings.answers is not None
    chances = np.tile([0.2, 0.7, 0.1], (20, 1))
    answers = dataclasses.replace(findings.answers, probabilities=chances)
    text = report(dataclasses.replace(findings, answers=answers))
    # Every third case is held out: all of them are of class "a".
    assert '<tr><td class="short">a</td><td class="short">b</td><td class="short">20</td>' in text


def test_draws_the_cases_that_were_answered_most_wrongly() -> None:
    findings = binary(skill=0.5)
    answers = findings.answers
    assert answers is not None
    assert answers.probabilities is not None
    truth = findings.target.y[findings.positions]
    chances = answers.probabilities[np.arange(truth.size), truth]
    worst = findings.panel.ids[findings.positions[int(chances.argmin())]]
    told = report(findings).partition("Most wrong about</h2>")[2]
    assert told.index(f"<dd>{worst}</dd>") < told.index("Series of case")


def test_says_so_where_no_answer_was_wrong() -> None:
    assert "none was answered wrongly" in report(binary(skill=40.0))


def test_a_regression_has_residuals_and_no_confusions() -> None:
    text = report(numbers())
    assert "Predicted against true" in text
    assert "Residuals" in text
    assert "Confusion matrix" not in text


def test_a_series_with_hardly_a_value_is_drawn() -> None:
    series = [np.full(9, np.nan), np.array([]), np.array([1.0]), np.array([np.nan, 2.0, np.nan])]
    panel = Panel(
        tuple(range(24)),
        {
            "x": Channel.from_series(series * 6),
            "huge": Channel.from_series([[-1.7e308, 1.7e308]] * 24),
        },
    )
    text = report(findings_of(panel, classes(24), skill=0.01))
    assert "no value" in text
    assert not re.search(r"\b(nan|inf)\b", text.partition("Most wrong about")[2])


def hostile(text: str) -> Findings:
    """Return findings in which every text of the data is this one."""
    panel = panel_of(24, (text + "1", text + "2"), steps=8)
    panel = Panel(tuple(f"{text}{i}" for i in range(24)), panel.channels)
    trials = [
        Trial(text, text, text, text, text, 1.0, {text: 0.5}, (0.5,), 0.5, 0.5, 1, 1, {text: text}),
        Trial(text, text, text, text, text, 2.0, failure=text),
    ]
    findings = findings_of(
        panel,
        classes(24, (text + "a", text + "b")),
        skill=0.1,
        metric=text or "accuracy",
        trials=trials,
        run_id=text,
        spec={"pipeline_id": text},
        notices=(text,),
        versions={text: text},
    )
    some = (Importance(text, 0.1, 0.01),)
    card = findings.document.scores.model_copy(
        update={"note": text, "baselines": {text: {"accuracy": 1.0}}, "beats_baselines": False}
    )
    return dataclasses.replace(
        scored(findings, card),
        chosen=(Member(1.0, text, text),),
        importances=Importances(text, text, some, some, some),
    )


def test_escapes_every_text_of_the_data() -> None:
    text = report(hostile(HOSTILE))
    outline = Outline(text)
    assert "<script" not in text
    assert {tag for tag, _ in outline.tags} <= ALLOWED
    assert {key for _, attrs in outline.tags for key in attrs} <= ATTRIBUTES
    assert "49" not in "".join(t for t in outline.texts if "alert" in t)
    assert any(HOSTILE in told for told in outline.texts)


@settings(max_examples=40, deadline=None)
@given(st.text(st.one_of(st.sampled_from("<>\"'&/={}%-!` \n\0"), st.characters()), max_size=40))
def test_no_name_breaks_out_of_its_place(name: str) -> None:
    text = report(hostile(name))
    text.encode()
    outline = Outline(text)
    assert {tag for tag, _ in outline.tags} <= ALLOWED
    assert {key for _, attrs in outline.tags for key in attrs} <= ATTRIBUTES


@pytest.mark.parametrize(
    ("n_cases", "n_channels", "steps", "n_classes"), [(10_000, 100, 4, 60), (12, 3, 100_000, 2)]
)
def test_stays_small_whatever_the_data(
    n_cases: int, n_channels: int, steps: int, n_classes: int
) -> None:
    values = np.random.default_rng(0).normal(size=n_cases * steps)
    channel = Channel(values, np.arange(n_cases + 1) * steps)
    panel = Panel(
        tuple(f"{'<' * 500}{i}" for i in range(n_cases)),
        {f"{'&' * 500}{c}": channel for c in range(n_channels)},
    )
    labels = classes(n_cases, tuple(f"{i}{'<' * 900}" for i in range(n_classes)))
    text = report(findings_of(panel, labels, skill=1.0, trials=trials_of(5000)))
    assert len(text.encode()) < 2_000_000


def test_a_confusion_matrix_of_very_many_classes_shows_the_worst() -> None:
    text = report(many(70, 210))
    assert "Of 70 classes the 60 with the most errors are shown." in text
