"""How the API pages tell of multipart bodies, which the routes read from the stream themselves."""

from __future__ import annotations

from typing import Any

OPTIONAL = "Optional. "


def form_of(**parts: str) -> dict[str, Any]:
    """Return the OpenAPI account of a form of files.

    Parameters
    ----------
    parts
        The parts by name, each with what it holds; one that need not be sent begins with
        "Optional. ".
    """
    properties = {
        name: {"type": "string", "format": "binary", "description": text}
        for name, text in parts.items()
    }
    required = [name for name, text in parts.items() if not text.startswith(OPTIONAL)]
    schema = {"type": "object", "properties": properties, "required": required}
    content = {"multipart/form-data": {"schema": schema}}
    return {"requestBody": {"required": True, "content": content}}
