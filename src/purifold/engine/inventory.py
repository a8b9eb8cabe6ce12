"""What lies in a store: made, being made, left by dead processes, failed and damaged; and what may go."""

import socket
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import final

from purifold.engine.shelf import DAMAGED
from purifold.engine.store import Store
from purifold.engine.work import Busy


@final
@dataclass(frozen=True, kw_only=True)
class Inventory:
    """A store at one moment; all by place, "kind/key".

    Args:
        sizes: Bytes of the artefacts.
        seconds: What they took.
        running: Steps that a process of this machine makes, or that one of another had begun by the log: it
            may be dead.
        unfinished: Bytes that dead processes of this machine left, checkpoints among it.
        failed: Steps whose last attempt went wrong, with what was said of it.
        damaged: Bytes of what was set aside, and of folders without a manifest.
    """

    sizes: Mapping[str, int]
    seconds: Mapping[str, float]
    running: Collection[str]
    unfinished: Mapping[str, int]
    failed: Mapping[str, str]
    damaged: Mapping[str, int]


def inventory(store: Store) -> Inventory:
    """Looks at everything in the store but the content of its files."""
    places = store.places()
    kinds = dict.fromkeys(place.split("/")[0] for place in places if not place.startswith(f"{DAMAGED}/"))
    seconds = {f"{kind}/{key}": took for kind in kinds for key, took in store.seconds(kind).items()}
    left = store.unfinished()
    last = {f"{event['kind']}/{event['key']}": event for event in store.events()}
    unmade = {place: event for place, event in last.items() if place not in seconds}
    here = socket.gethostname()
    running = {place for place, (_, busy) in left.items() if busy}
    elsewhere = {
        place for place, event in unmade.items() if event["event"] == "started" and event["host"] != here
    }
    return Inventory(
        sizes={place: size for place, size in places.items() if place in seconds},
        seconds=seconds,
        running=running | elsewhere,
        unfinished={place: size for place, (size, busy) in left.items() if not busy},
        failed={
            place: str(event["error"])
            for place, event in unmade.items()
            if event["event"] in ("failed", "lost") and place not in running
        },
        damaged={place: size for place, size in places.items() if place not in seconds},
    )


@final
@dataclass(frozen=True, kw_only=True)
class Waste:
    """What may be deleted: bytes by place.

    Args:
        unreferenced: Artefacts that no given study needs.
        unfinished: As in `Inventory`.
        damaged: As in `Inventory`.
    """

    unreferenced: Mapping[str, int]
    unfinished: Mapping[str, int]
    damaged: Mapping[str, int]


def waste(store: Store, needed: Collection[str] | None) -> Waste:
    """What the store can do without; changes nothing.

    Args:
        store: Looked at.
        needed: Places of the artefacts to keep; None: all.
    """
    there = inventory(store)
    return Waste(
        unreferenced={
            place: size for place, size in there.sizes.items() if needed is not None and place not in needed
        },
        unfinished=there.unfinished,
        damaged={place: size for place, size in there.damaged.items() if place not in there.running},
    )


def clean(store: Store, found: Waste) -> int:
    """Deletes what `waste` found, but for what a process has begun to work on since; the bytes deleted."""
    deleted = 0
    for place, size in {**found.unreferenced, **found.damaged}.items():
        with suppress(Busy):
            store.remove(place)
            deleted += size
    for place, size in found.unfinished.items():
        with suppress(Busy):
            store.discard(place)
            deleted += size
    return deleted
