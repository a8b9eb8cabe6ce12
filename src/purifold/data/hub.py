"""One part of a data set from the Hugging Face Hub, or from its cache on this machine."""

from purifold.data.shard import Shard
from purifold.errors import Failure, InputError


def hub_shards(name: str, repository: str, config: str | None, part: str) -> list[Shard]:
    """The Hub's copy of one part, downloaded once and kept in the cache of `datasets`.

    Args:
        name: The data set as the user knows it.
        repository: The Hub's name of it.
        config: The repository's configuration, where it has several.
        part: The split, as the Hub calls it.
    """
    import datasets

    try:
        rows = datasets.load_dataset(repository, config, split=part)
    except ConnectionError as error:
        raise InputError(
            f"{name} is not on this machine and the Hub cannot be reached: pass --data-root DIR with the "
            f"Parquet files of {repository} in DIR/{name}, or go online"
        ) from error
    except (OSError, ValueError, RuntimeError, datasets.exceptions.DatasetsError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise Failure(f"loading {repository} ({part}) from the Hub failed: {reason}") from error
    return [
        Shard(f"{repository} ({part})", len(rows), rows.features, lambda name: rows.data.column(name).chunks)
    ]
