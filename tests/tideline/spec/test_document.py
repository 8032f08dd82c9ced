"""From bytes to a mapping: what plain YAML is, and everything that it is not."""

from __future__ import annotations

import json
import time

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tideline.errors import SpecError
from tideline.spec.document import MAX_BYTES, MAX_DEPTH, plain_mapping, read_document

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63) + 1, 2**63 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20),
)
keys = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=10)
documents = st.dictionaries(
    keys,
    st.recursive(
        scalars,
        lambda inner: st.one_of(
            st.lists(inner, max_size=4), st.dictionaries(keys, inner, max_size=4)
        ),
        max_leaves=10,
    ),
    max_size=5,
)


@settings(deadline=None)
@given(documents)
def test_reads_back_any_mapping_written_as_yaml(document):
    written = yaml.safe_dump(document, allow_unicode=False)
    assert read_document(written.encode()) == document


@settings(deadline=None)
@given(documents)
def test_reads_back_any_mapping_written_as_json(document):
    assert read_document(json.dumps(document)) == document


@settings(max_examples=300, deadline=None)
@given(st.one_of(st.binary(max_size=200), st.text(max_size=200)))
@example("\ud800")
@example("a: \ud800")
@example(b'a: "\\ud800"')
@example(b"\x00")
@example(b"%YAML 9.9\n--- {}")
@example(b"? [a, b]\n: 1")
@example(b"? {a: b}\n: 1")
@example(b"<<: 1")
@example(b"<<: [1]")
@example(b"a: !!bool maybe")
@example(b"a: !!int x")
@example(b"a: !!float ''")
@example(b"a: 0x_")
@example(b"a: 0b_")
@example(b"a: -")
@example(b"a: !!merge b")
@example(b"a: !!map b")
@example(b"a: !!str [b]")
@example(b"a: =")
@example(b"&a a: *a")
@example(b"a: &a [*a]")
@example(b"1: x\n'1': y")
@example(b"--- {}\n--- {}")
def test_any_bytes_and_any_text_are_read_or_refused_as_a_spec_error(source):
    try:
        document = read_document(source)
    except SpecError as error:
        refused = error
    else:
        json.dumps(document, allow_nan=False).encode()
        return
    assert refused.message
    assert refused.mend


FRAGMENTS = """a|b: |1|: |- |[|]|{|}|, |&x |*x|<<: |? |!!int |!!python/name:os.system |'|"|# c|~|1e3
|2020-01-01|---|...|%TAG ! x|\t|\\ud83d|0x1F|1:30|.nan|-.inf|yes|=|
|
  |>-
"""
fragments = st.sampled_from(FRAGMENTS.split("|"))


@settings(max_examples=500, deadline=None)
@given(st.lists(fragments, max_size=25).map("".join))
def test_any_shuffle_of_yaml_is_read_or_refused_as_a_spec_error(text):
    try:
        document = read_document(text)
    except SpecError:
        return
    json.dumps(document, allow_nan=False).encode()


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2020-01-01", "2020-01-01"),
        ("2020-01-01 10:00:00", "2020-01-01 10:00:00"),
        ("1e5", "1e5"),
        ("1.5", 1.5),
        ("'1'", "1"),
        ("1e", "1e"),
        ("e1", "e1"),
        ("~", None),
        ("=", "="),
        ("!!str 1", "1"),
    ],
)
def test_reads_a_scalar_as_a_person_means_it(text, value):
    assert read_document(f"a: {text}") == {"a": value}


def test_reads_the_escapes_of_json():
    assert read_document(json.dumps({"a": "\U0001f600"})) == {"a": "\U0001f600"}


def test_reads_a_byte_order_mark_and_crlf():
    assert read_document(b"\xef\xbb\xbfa: 1\r\nb: 2\r\n") == {"a": 1, "b": 2}


def test_a_whole_number_as_a_key_is_text():
    assert read_document("{0: a, 1: b}") == {"0": "a", "1": "b"}


def test_an_alias_and_a_merge_are_read():
    text = "a: &x {k: 1, l: 2}\nb: *x\nc: {<<: *x, k: 3}"
    assert read_document(text) == {
        "a": {"k": 1, "l": 2},
        "b": {"k": 1, "l": 2},
        "c": {"k": 3, "l": 2},
    }


def test_a_merge_of_a_mapping_that_overrides_its_own_merge_is_no_duplicate():
    text = "a: &x {k: 1}\nb: {c: {d: &y {<<: *x, k: 2}}}\ne: {<<: *y, k: 3}"
    assert read_document(text)["e"] == {"k": 3}


@pytest.mark.parametrize(
    ("source", "said"),
    [
        (b"", "holds nothing"),
        (b"# only a comment", "holds nothing"),
        (b"[1, 2]", "a mapping of keys to values is expected"),
        (b"text", "a mapping of keys to values is expected"),
        (b"a: 1\na: 2", "the key 'a' is there 2 times"),
        (b"b:\n  a: 1\n  a: 2", "line 2, column 3: the key 'a'"),
        (b"a: [1", "line 2, column 1"),
        (b"a: !!python/object/apply:os.system [ls]", "python/object/apply:os.system' is not read"),
        (b"a: !!binary aGk=", "binary' is not read"),
        (b"a: !!set {x}", "set' is not read"),
        (b"a: !mine x", "'!mine' is not read"),
        (b"a: *x", "inside or before itself"),
        (b"a: &x [*x]", "inside or before itself"),
        (b"--- {}\n--- {}", "another document"),
        ("pipeline_id: caf\u00e9".encode("latin-1"), "byte 16 is 0xe9"),
        ("a: b".encode("utf-16"), "not UTF-8: byte 0 is 0xff"),
        (b"a: \x07", "a character that YAML does not allow"),
        (b"a: .nan", "nan was found"),
        (b"a: -.inf", "-inf was found"),
        (b"a: " + b"9" * 30, "int was found"),
        (b"a: " + b"9" * 5000, "cannot be read"),
        (b"on: 1", "a key of kind bool"),
        (b"1.5: 1", "a key of kind float"),
        (b'a: "\\0"', "U+0000"),
        (b'a: "\\ud800"', "invalid Unicode character"),
        (b'{"a": "\\ud800"}', "surrogate"),
        (b'{"a": 1, "a": 2}', "the key 'a' is there 2 times"),
        (b'{"a": NaN}', "nan was found"),
        (b'{"a": ' + b"9" * 5000 + b"}", "cannot be read"),
        (b'{"a":' * 5000, "nested deeper"),
    ],
)
def test_refuses_what_is_not_plain_yaml_and_says_why(source, said):
    with pytest.raises(SpecError) as caught:
        read_document(source)
    assert said in str(caught.value)
    assert caught.value.mend


def bomb(levels: int = 9) -> str:
    lines = ["a: &a [x, x, x, x, x, x, x, x, x, x]"]
    for before, after in zip("abcdefghi", "bcdefghij"[:levels], strict=False):
        lines.append(f"{after}: &{after} [{', '.join([f'*{before}'] * 10)}]")
    return "\n".join(lines)


def merge_bomb() -> str:
    lines = ["a: &a {k: 1}"]
    lines += [
        f"b{i}: &b{i} {{<<: [{', '.join(['*' + ('a' if i == 0 else f'b{i - 1}')] * 10)}]}}"
        for i in range(9)
    ]
    return "\n".join(lines)


@pytest.mark.parametrize(
    "text",
    [
        bomb(),
        merge_bomb(),
        "[" * 500_000,
        "{" * 500_000,
        "- " * 500_000,
        "a: " + "[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1),
        "{" + "?" * 500_000,
        "x: " + "&a " * 100_000,
        "a: [" + "1," * 400_000 + "]",
        "a: '" + "x" * MAX_BYTES + "'",
    ],
    ids=lambda text: text[:12],
)
def test_refuses_a_bomb_before_it_costs_anything(text):
    began = time.perf_counter()
    with pytest.raises(SpecError):
        read_document(text)
    assert time.perf_counter() - began < 2


def test_reads_a_large_document_of_plain_values():
    listed = [{"coeff": c, "k": 10} for c in range(9_000)]
    assert read_document(json.dumps({"a": listed})) == {"a": listed}


class Surprise:
    pass


@pytest.mark.parametrize(
    ("value", "field"),
    [
        ({"a": Surprise()}, "a"),
        ({"a": {"b": [1, {2}]}}, "a.b.1"),
        ({"a": b"bytes"}, "a"),
        ({"a": float("nan")}, "a"),
        ({"a": 1 << 63}, "a"),
        ({"a": {None: 1}}, "a"),
        ({"a": {1: 1, "1": 2}}, "a.1"),
    ],
)
def test_a_mapping_with_values_beyond_json_is_refused_where_they_are(value, field):
    with pytest.raises(SpecError) as caught:
        plain_mapping(value)
    assert caught.value.field == field


def test_a_mapping_that_holds_itself_is_refused():
    mapping: dict[str, object] = {}
    mapping["a"] = [mapping]
    with pytest.raises(SpecError, match="nested deeper"):
        plain_mapping(mapping)


def test_a_copy_shares_nothing_with_the_original():
    original = {"a": {"b": [1]}}
    copied = plain_mapping(original)
    copied["a"]["b"].append(2)
    assert original == {"a": {"b": [1]}}
