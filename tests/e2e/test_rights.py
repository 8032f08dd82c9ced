"""What the service accounts may do: nothing more than is needed."""

from __future__ import annotations

import re

import pytest

from tests.e2e.cluster import Namespace
from tests.e2e.installation import Installation
from tests.e2e.story import tell
from tests.helm.rights import asked_for

ONE_ACCOUNT = {"serviceaccounts": "serviceaccounts tideline-training"}
TRAINER = {
    (ONE_ACCOUNT.get(resource, f"{resource}.{group}".rstrip(".")), " ".join(verbs))
    for (group, resource), verbs in asked_for().items()
}
"""What the code asks for, and of ServiceAccounts only the one."""


@pytest.mark.parametrize(
    ("account", "rights"), [("predictor", set()), ("training", set()), ("trainer", TRAINER)]
)
def test_nothing_more_is_allowed_than_is_needed(
    installation: Installation, account: str, rights: set[tuple[str, str]]
) -> None:
    namespace = installation.namespace
    found = _rights(namespace, f"tideline-{account}") - _rights(namespace, "default")
    tell(f"  kubectl auth can-i --list --as {account}: {sorted(found) or 'nothing'}")
    assert found == {(resource, _verbs(verbs)) for resource, verbs in rights}


def test_only_the_trainer_has_a_token(installation: Installation) -> None:
    mounted = "/var/run/secrets/kubernetes.io/serviceaccount/token"
    look = f"import os; print(os.path.exists({mounted!r}))"
    for name, expected in (("predictor", "False"), ("trainer", "True")):
        pod = installation.namespace.ready_pods(name)[0]
        said = installation.namespace.kubectl("exec", pod, "--", "python", "-c", look)
        assert said.strip() == expected, name


def _rights(namespace: Namespace, account: str) -> set[tuple[str, str]]:
    """Return the rights, each a resource, the name that it is limited to, and its verbs."""
    user = f"system:serviceaccount:{namespace.name}:{account}"
    said = namespace.kubectl("auth", "can-i", "--list", f"--as={user}", "--no-headers")
    rights = set()
    for line in said.splitlines():
        resource, (_, names, verbs) = line.split()[0], re.findall(r"\[([^]]*)\]", line)[-3:]
        if not resource.startswith("["):
            rights.add((f"{resource} {names}".strip(), _verbs(verbs)))
    return rights


def _verbs(text: str) -> str:
    return " ".join(sorted(text.split()))
