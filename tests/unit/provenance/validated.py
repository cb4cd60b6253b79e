"""The public validator (roc-validator) run without a network: its profiles come with it, the
context of RO-Crate does not.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, ClassVar

PROFILE = "provenance-run-crate-0.5"
CONTEXT_ADDRESS = "https://w3id.org/ro/crate/1.1/context"

# fmt: off
_OF_SCHEMA_ORG = [
    "CreativeWork", "Dataset", "SoftwareSourceCode", "SoftwareApplication", "HowTo", "HowToStep", "ComputerLanguage", "PropertyValue",
    "Organization", "Person", "CreateAction", "ControlAction", "OrganizeAction",
    "about", "contentSize", "creator", "datePublished", "description", "encodingFormat", "endTime", "hasPart", "instrument", "license",
    "mainEntity", "mentions", "name", "object", "programmingLanguage", "result", "softwareRequirements", "softwareVersion", "startTime",
    "step", "url", "value", "version", "workExample",
]
# fmt: on
CONTEXT = {
    "@context": {term: f"http://schema.org/{term}" for term in _OF_SCHEMA_ORG}
    | {
        "File": "http://schema.org/MediaObject",
        "ComputationalWorkflow": "https://bioschemas.org/ComputationalWorkflow",
        "conformsTo": "http://purl.org/dc/terms/conformsTo",
    }
}
"""The terms that a crate of ours uses, as RO-Crate 1.1's published context (1.1.3) spells them; a
term that is not here is a fault.
"""


class _Answer:
    """An answer that the validator gets in place of a page of the web."""

    status_code, ok, from_cache = 200, True, True
    headers: ClassVar = {"Content-Type": "application/ld+json"}
    text = json.dumps(CONTEXT)
    content = text.encode()

    def json(self) -> dict[str, Any]:
        return CONTEXT

    def raise_for_status(self) -> None: ...


def validate(crate: Path) -> list[str]:
    """Return the faults that the validator sees in a crate by the Provenance Run Crate profile and
    all that it builds on; requirements alone.

    Raises:
        AssertionError: the validator asks the web for anything but the context, or fewer checks ran
            than the profiles have.
    """
    from rocrate_validator import models, services
    from rocrate_validator.utils.http import HttpRequester

    def answer(_: Any, url: str, *__: Any, **___: Any) -> _Answer:
        assert url == CONTEXT_ADDRESS, url
        return _Answer()

    kept = HttpRequester.__dict__.get("get")
    HttpRequester.get = answer
    try:
        settings = services.ValidationSettings(
            rocrate_uri=str(crate),
            profile_identifier=PROFILE,
            requirement_severity=models.Severity.REQUIRED,
            offline=True,
            cache_path=crate.parent / "validator",
            skip_availability_check=True,
        )
        result = services.validate(settings)
    finally:
        if kept is None:
            del HttpRequester.get
        else:
            HttpRequester.get = kept
    assert len(result.executed_checks) > 80
    return [f"{issue.check.identifier}: {issue.message}" for issue in result.get_issues()]
