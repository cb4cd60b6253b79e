"""Write the radiographs and label maps of one release of a phantom cohort."""

from __future__ import annotations

import logging
from pathlib import Path

from kneeoa.config.phantom import Phantom
from kneeoa.phantom.film import write_film
from kneeoa.phantom.film_plan import plan_films
from kneeoa.phantom.plan import VISIT
from kneeoa.phantom.release import replace_release

_LOG = logging.getLogger(__name__)


def write_films(phantom: Phantom, cohort: str, release: str, images: Path, masks: Path) -> None:
    """Write one release folder: its pictures and its label maps. One film is in memory at a time.

    Args:
        phantom: the configuration.
        cohort: the cohort's name.
        release: one of :func:`~kneeoa.phantom.plan.releases`.
        images: the folder ``<root>/00m/<release>``; replaced as a whole.
        masks: the folder ``<root>/masks/<release>``; replaced as a whole.

    Raises:
        KneeoaError: there is no such release.
    """
    with replace_release(phantom, cohort, release, images, masks) as (new_images, new_masks):
        films = [film for film in plan_films(phantom, cohort) if film.release == release]
        for film in films:
            pictures = {side: new_images / Path(path).relative_to(VISIT, release) for side, path in film.images.items()}
            for path in pictures.values():
                path.parent.mkdir(parents=True, exist_ok=True)
            write_film(film, phantom, cohort, pictures, {side: new_masks / Path(path).name for side, path in film.masks.items()})
    _LOG.info("%s: %d people in release %s", cohort, len(films), release)
