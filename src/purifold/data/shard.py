"""One Parquet file, or the Hub's copy of one part: its columns as bytes, labels and groups."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

import numpy as np

from purifold.errors import Failure, InputError

if TYPE_CHECKING:
    import datasets


@final
@dataclass(frozen=True)
class Shard:
    """Stored rows. Columns are read when asked for, so that encoded images never fill the memory.

    Args:
        place: What an error calls it: the file, or the Hub's repository and part.
        rows: How many there are.
        features: Types of the columns.
        read: The `pyarrow` arrays of a column, in order.
    """

    place: str
    rows: int
    features: "datasets.Features"
    read: Callable[[str], Iterator[Any]]

    def images(self, column: str) -> Iterator[tuple[str, bytes]]:
        """What an error calls an image, and the content of its file."""
        import datasets

        feature = self._feature(column)
        if not isinstance(feature, datasets.Image):
            raise InputError(f"column {column!r} of {self.place} must hold images, got {feature}")
        row = 0
        for array in self._arrays(column):
            for cell in array.to_pylist():
                if cell is None or cell["bytes"] is None:
                    raise InputError(
                        f"image {row} of {self.place} has no bytes; store the files' content in it"
                    )
                yield f"image {row} of {self.place}", cell["bytes"]
                row += 1

    def labels(self, column: str) -> tuple[np.ndarray, tuple[str, ...]]:
        """Classes from 0 and the names of the classes; a yes-or-no column has two."""
        import datasets

        feature = self._feature(column)
        if isinstance(feature, datasets.ClassLabel):
            names = tuple(feature.names)
        elif feature == datasets.Value("bool"):
            names = (f"not {column}", column)
        else:
            able = [name for name, other in self.features.items() if _classifies(other)]
            hint = f"columns with classes: {', '.join(able) or 'none'}"
            raise InputError(f"column {column!r} of {self.place} is no ClassLabel and no bool; {hint}")
        labels = self.integers(column)
        if len(labels) and not 0 <= labels.min() <= labels.max() < len(names):
            span = f"[{labels.min()}, {labels.max()}]"
            raise InputError(f"column {column!r} of {self.place} must lie in [0, {len(names)}), got {span}")
        return labels, names

    def integers(self, column: str) -> np.ndarray:
        """An integer or yes-or-no column as int64."""
        feature = self._feature(column)
        arrays = list(self._arrays(column))
        empty = sum(array.null_count for array in arrays)
        if empty:
            raise InputError(f"column {column!r} of {self.place} has {empty} empty cells")
        values = [array.to_numpy(zero_copy_only=False) for array in arrays] or [np.empty(0, dtype=np.int64)]
        if values[0].dtype.kind not in "iub":
            raise InputError(f"column {column!r} of {self.place} must hold integers, got {feature}")
        return np.concatenate(values).astype(np.int64)

    def _arrays(self, column: str) -> Iterator[Any]:
        count = 0
        for array in self.read(column):
            count += len(array)
            yield array
        if count != self.rows:
            raise Failure(
                f"{self.place} is damaged: {count} of {self.rows} cells in {column!r}; fetch it again"
            )

    def _feature(self, column: str) -> Any:
        if column not in self.features:
            raise InputError(f"{self.place} has no column {column!r}; it has: {', '.join(self.features)}")
        return self.features[column]


def _classifies(feature: Any) -> bool:
    import datasets

    return isinstance(feature, datasets.ClassLabel) or feature == datasets.Value("bool")
