"""Several pictures of one thing: the input of services that make a model of its views."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from genload.artifacts.inputs.images import ImageSource
from genload.errors import ConfigError
from genload.service import JobInput


class ViewSource:
    """Makes the views of each job, as `ImageSource` makes an image.

    Args:
        folder: a folder of the user's own with one folder for each view, in which the same thing has the same
            place in the order of names. Without it each view is drawn.
        views: their names.

    Attributes:
        skipped: as of `ImageSource`.

    Raises:
        ConfigError: as `ImageSource`; views of which one has more pictures than another.
    """

    def __init__(self, seed: int, folder: Path | None, views: Sequence[str]) -> None:
        self._own = folder is not None
        self._sources = {view: ImageSource(seed, folder / view if folder else None) for view in views}
        self.skipped = [
            f"{view}: {reason}" for view, source in self._sources.items() for reason in source.skipped
        ]
        counts = {view: source.own for view, source in self._sources.items()}
        if len(set(counts.values())) > 1:
            told = ", ".join(f"{count} in {view}" for view, count in counts.items())
            remedy = "give each view the same number of pictures, in the same order of names"
            raise ConfigError(f"'{folder}' has {told}", key="service.images", remedy=remedy)

    def image(self, source: str, user: int, k: int, name: str = "") -> JobInput:
        """The input of a job, as `ImageSource.image`: its first view, with all of them."""
        views: dict[str, JobInput] = {}
        for view, images in self._sources.items():
            # Of the user's own the same place gives the same thing; drawn ones are each another picture.
            made = images.image(source if self._own else f"{source}/{view}", user, k)
            views[view] = JobInput(f"{view}-{made.name}", made.content, made.media_type, shows=made.shows)
        first = next(iter(views.values()))
        shows = "/".join(view.shows for view in views.values()) if self._own else ""
        return JobInput(first.name, first.content, first.media_type, views, shows)


def input_source(
    seed: int, folder: str | None, named: Sequence[Path] = (), views: Sequence[str] = ()
) -> ImageSource | ViewSource:
    """Where the inputs of jobs come from.

    Args:
        folder, named: as of `ImageSource`.
        views: as of `ViewSource`; none: a job has one image.

    Raises:
        ConfigError: no usable image; a picture that a trace names, where a job has several.
    """
    path = Path(folder) if folder else None
    if not views:
        return ImageSource(seed, path, named)
    if named:
        remedy = "leave `image` out of the trace, or `views` out of the request"
        raise ConfigError(
            f"a job has {len(views)} views, and a line of the trace names one image", remedy=remedy
        )
    return ViewSource(seed, path, views)
