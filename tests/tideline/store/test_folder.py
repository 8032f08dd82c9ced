from __future__ import annotations

import io
import json
import os
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import skops.io
from sklearn.pipeline import Pipeline as Steps
from sklearn.preprocessing import FunctionTransformer

from tests.tideline.fitted import document_of, fitted
from tests.tideline.store.conformance import Folder
from tideline.errors import ModelRefused
from tideline.pipeline import Pipeline
from tideline.store import load_model, write_model
from tideline.store.folder import EXTRAS, MAX_EXTRA_BYTES, read_extra
from tideline.store.manifest import MANIFEST, seal, verified_bytes, verify
from tideline.store.trust import TRUSTED


def manifest_naming(name: str) -> Callable[[Path], object]:
    def change(path: Path) -> None:
        manifest = json.loads((path / MANIFEST).read_bytes())
        manifest["files"][name] = {"sha256": "0" * 64, "size": 0}
        (path / MANIFEST).write_text(json.dumps(manifest))

    return change


def flip(path: Path) -> None:
    content = bytearray((path / "pipeline.skops").read_bytes())
    content[len(content) // 2] ^= 1
    (path / "pipeline.skops").write_bytes(content)


def link_outwards(path: Path) -> None:
    content = (path / "model.json").read_bytes()
    (path / "model.json").unlink()
    (path.parent / "elsewhere.json").write_bytes(content)
    (path / "model.json").symlink_to(path.parent / "elsewhere.json")


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (flip, r"pipeline\.skops of the model is not what was published"),
        (lambda p: (p / "model.json").write_bytes(b"{}"), r"model\.json of the model is not"),
        (lambda p: (p / "pipeline.skops").unlink(), "missing: 'pipeline.skops'"),
        (lambda p: (p / "custom_objects.pkl").write_bytes(b""), "does not name: 'custom_objects"),
        (lambda p: (p / ".hidden").write_bytes(b""), "does not name: '.hidden'"),
        (lambda p: (p / "folder").mkdir(), "folder is not a plain file"),
        (lambda p: os.mkfifo(p / "pipe"), "pipe is not a plain file"),
        (link_outwards, r"model\.json is not a plain file"),
        (lambda p: (p / MANIFEST).unlink(), "no manifest"),
        (lambda p: (p / MANIFEST).write_bytes(b"{"), "manifest.json cannot be read"),
        (lambda p: (p / MANIFEST).write_bytes(b" " * (2 << 20)), "is over"),
        (manifest_naming("../elsewhere"), "not a file name"),
        (manifest_naming("/etc/passwd"), "not a file name"),
        (manifest_naming("a\\b"), "not a file name"),
        (manifest_naming(MANIFEST), "not a file name"),
        (manifest_naming("surplus.bin"), "missing: 'surplus.bin'"),
    ],
)
def test_refuses_a_folder_that_is_not_what_was_written(
    folder: Folder, damage: Callable[[Path], object], message: str
) -> None:
    path = folder()
    damage(path)

    with pytest.raises(ModelRefused, match=message):
        load_model(path)


class Telltale:
    """A type that no server knows; it would leave a file behind if it were built."""

    def __init__(self) -> None:
        self.value = 1


def replaced(path: Path, content: bytes) -> Path:
    """Return the folder with another pipeline, under a manifest that vouches for it."""
    (path / "pipeline.skops").write_bytes(content)
    (path / MANIFEST).unlink()
    seal(path)
    return path


@pytest.mark.parametrize(
    ("step", "named"),
    [(FunctionTransformer(os.system), r"posix\.system"), (Telltale(), "Telltale")],
)
def test_refuses_types_that_the_server_does_not_allow(
    folder: Folder, pipeline: Pipeline, step: object, named: str
) -> None:
    steps = Steps([("step", step), *pipeline.estimator.steps])

    with pytest.raises(ModelRefused, match=named):
        load_model(replaced(folder(), skops.io.dumps(steps)))


@pytest.mark.parametrize("content", [b"", b"no zip", b"PK\x05\x06" + b"\0" * 18])
def test_refuses_what_is_no_skops_file(folder: Folder, content: bytes) -> None:
    with pytest.raises(ModelRefused):
        load_model(replaced(folder(), content))


def schema_changed(content: bytes, change: Callable[[bytes], bytes]) -> bytes:
    """Return a skops file with another schema."""
    sink = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as before, zipfile.ZipFile(sink, "w") as after:
        for name in before.namelist():
            part = before.read(name)
            after.writestr(name, change(part) if name == "schema.json" else part)
    return sink.getvalue()


@pytest.mark.filterwarnings("ignore:.*:UserWarning:skops")
@pytest.mark.parametrize(
    "change",
    [
        lambda _: b"[]",
        lambda _: b"null",
        lambda schema: schema.replace(b"ObjectNode", b"NoNode"),
        lambda schema: schema.replace(b'"content"', b'"contant"'),
        lambda schema: schema.replace(b".npy", b".npz"),
        lambda schema: schema.replace(b'"LogisticRegression"', b'"LogisticRegrossion"'),
    ],
)
def test_refuses_a_skops_file_that_does_not_say_how_it_is_built(
    folder: Folder, pipeline: Pipeline, change: Callable[[bytes], bytes]
) -> None:
    content = schema_changed(skops.io.dumps(pipeline.estimator), change)

    with pytest.raises(ModelRefused):
        load_model(replaced(folder(), content))


def test_the_servers_list_holds_no_type_of_tpot() -> None:
    # Which a search needs, and a predictor would import for four seconds and 250 MB.
    assert not [name for name in TRUSTED if name.startswith("tpot.")]


def test_refuses_a_plan_that_no_spec_could_ask_for(folder: Folder) -> None:
    path = folder()
    document = json.loads((path / "model.json").read_bytes())
    first = document["plan"]["features"][0]
    first |= {
        "calculator": "change_quantiles",
        "parameters": {"ql": 0.0, "qh": 1.0, "isabs": False, "f_agg": "save"},
    }
    (path / "model.json").write_text(json.dumps(document))
    (path / MANIFEST).unlink()
    seal(path)

    with pytest.raises(ModelRefused, match="f_agg of calculator change_quantiles is 'save'"):
        load_model(path)


def test_refuses_an_estimator_that_does_not_fit_the_plan(folder: Folder) -> None:
    wider = skops.io.dumps(fitted().estimator)

    with pytest.raises(ModelRefused, match="takes 20 features and the plan has"):
        load_model(replaced(folder(), wider))


def test_refuses_what_is_no_estimator(folder: Folder) -> None:
    with pytest.raises(ModelRefused, match="no pipeline"):
        load_model(replaced(folder(), skops.io.dumps({"a": 1})))


def test_nothing_is_written_that_no_server_would_load(tmp_path: Path) -> None:
    pipeline = fitted(between=(("step", FunctionTransformer(abs)),))

    with pytest.raises(ModelRefused, match="does not load"):
        write_model(tmp_path / "folder", pipeline, document_of(pipeline))
    assert not list((tmp_path / "folder").glob("*"))


def test_writes_into_an_empty_folder_only(folder: Folder, pipeline: Pipeline) -> None:
    with pytest.raises(ValueError, match="empty"):
        write_model(folder(), pipeline, document_of(pipeline))


def test_writes_a_document_of_this_pipeline_only(tmp_path: Path, pipeline: Pipeline) -> None:
    with pytest.raises(ValueError, match="describe this pipeline"):
        write_model(tmp_path / "folder", pipeline, document_of(fitted()))


@pytest.mark.parametrize(
    ("name", "size"),
    [
        ("model.json", 1),
        ("manifest.json", 1),
        ("../up", 1),
        (".hidden", 1),
        ("", 1),
        ("a.py", 1),
        ("report.html", MAX_EXTRA_BYTES + 1),
    ],
)
def test_keeps_files_of_a_fixed_list_only(
    tmp_path: Path, pipeline: Pipeline, name: str, size: int
) -> None:
    with pytest.raises(ValueError, match="extras"):
        write_model(tmp_path / "folder", pipeline, document_of(pipeline), {name: b" " * size})
    assert not (tmp_path / "folder").exists()


@pytest.mark.parametrize("name", EXTRAS)
def test_an_extra_that_was_changed_is_refused(
    tmp_path: Path, pipeline: Pipeline, name: str
) -> None:
    path = tmp_path / "folder"
    write_model(path, pipeline, document_of(pipeline), {name: b"as published"})
    assert read_extra(path, name) == b"as published"
    (path / name).write_bytes(b"another")

    with pytest.raises(ModelRefused, match="is not what was published"):
        read_extra(path, name)
    with pytest.raises(ModelRefused, match="is not what was published"):
        load_model(path)


def test_reads_a_file_only_as_the_manifest_has_it(folder: Folder) -> None:
    path = folder()
    manifest = verify(path)
    (path / "model.json").write_bytes(b"changed after the check")

    with pytest.raises(ModelRefused, match="hash differs"):
        verified_bytes(path, manifest, "model.json")
