"""What the page on speed says of each benchmark: what was asked, and what its JSON holds beside that."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

from benchmarks.timing import median_ratio

Found: TypeAlias = dict[str, Any]

NOT_MEASURED = "not measured"
PEERS = "Foolbox, ART, torchattacks"
CW_ASKED = 2.0
MINIMUM = ("cw-l2", "deepfool")
"""Attacks that look for the nearest adversarial image: a peer that stops far from it is no rival."""
FARTHER = 1.05
"""Times our median distance that a peer's may be."""
ASIDES = {"operations": "in operations", "ratio_in_our_layers": "times where Pythae gets our layers"}
"""What may stand beside a ratio, by its name in the record."""


@dataclass(frozen=True, kw_only=True)
class Line:
    """A line of the table; `reached` is None where nothing was measured or nothing asked."""

    work: str
    beside: str
    asked: str
    measured: str
    reached: bool | None
    machine: str
    command: str


@dataclass(frozen=True, kw_only=True)
class Rows:
    """The lines of one JSON file.

    Args:
        path: Inside `results/`.
        command: What writes it, after `python -m benchmarks.`.
        work: What it measures, where there is no file.
        beside: What it is compared with.
        asked: What was asked, in words.
        read: The file to (work, measured, reached).
    """

    path: str
    command: str
    work: str
    beside: str
    asked: str
    read: Callable[[Found], Iterator[tuple[str, str, bool | None]]]

    def lines(self, found: Found | None) -> Iterator[Line]:
        """Lines of what was found, or one that says that nothing was."""
        told = self.read(found) if found else iter([(self.work, NOT_MEASURED, None)])
        for work, measured, reached in told:
            yield Line(
                work=work,
                beside=self.beside,
                asked=self.asked,
                measured=measured,
                reached=reached,
                machine=machine(found["machine"]) if found and measured != NOT_MEASURED else "",
                command=self.command,
            )


def machine(found: Found) -> str:
    """Cores, processor, GPUs and rate in a few words."""
    gpus = "".join(f", {name}" for name in found["gpus"])
    return f"{found['cores']} x {found['cpu']}{gpus}, {found['matrix_product_gflops']:.0f} GFLOP/s"


def _attack(work: str, ours: str, asked: float) -> Callable[[Found], Iterator[tuple[str, str, bool | None]]]:
    """Ours beside the fastest peer that finds as much, or the fastest of all where none does."""

    def read(found: Found) -> Iterator[tuple[str, str, bool | None]]:
        rows = [row for row in found["rows"] if row["work"] == work]
        own = next((row for row in rows if row["library"] == ours), None)
        peers = [row for row in rows if not row["library"].startswith("purifold")]
        name = f"{work}, {found['data']}" + (", all steps" if ours.endswith("all") else "")
        if own is None or not peers:
            yield name, NOT_MEASURED, None
            return
        level = [row for row in peers if _finds_as_much(row, own, work)]
        rival = min(level or peers, key=lambda row: row["seconds_of_all_images"])
        ratio = _times(rival, own)
        success = f"success {100 * own['success']:.0f} % and {100 * rival['success']:.0f} %"
        distances = f", L2 {own['median_l2']:.3f} and {rival['median_l2']:.3f}" if work in MINIMUM else ""
        if rival["images"] != own["images"]:
            distances += f", theirs of {rival['images']} images"
        yield name, f"{ratio:.2f} times {rival['library']}, {success}{distances}", ratio >= asked

    return read


def _times(rival: Found, own: Found) -> float:
    """How many times our seconds, turn by turn where both had as many turns with the same images."""
    if (rival["images"], len(rival["seconds_all"])) == (own["images"], len(own["seconds_all"])):
        return median_ratio(rival["seconds_all"], own["seconds_all"])
    return float(rival["seconds_of_all_images"] / own["seconds_of_all_images"])


def _finds_as_much(row: Found, own: Found, work: str) -> bool:
    near = work not in MINIMUM or row["median_l2"] <= FARTHER * own["median_l2"]
    return near and row["success"] >= own["success"]


def _ratios(what: str) -> Callable[[Found], Iterator[tuple[str, str, bool | None]]]:
    """A line for each row that has a ratio."""

    def read(found: Found) -> Iterator[tuple[str, str, bool | None]]:
        for row in found["rows"]:
            ratio = row.get("ratio")
            measured = NOT_MEASURED if ratio is None else f"{ratio:.2f} times"
            measured += "".join(f", {row[key]:.2f} {words}" for key, words in ASIDES.items() if key in row)
            reached = None if ratio is None else ratio >= found["asked"]
            yield f"{what}, {row['images']} images of {row['data']}", measured, reached

    return read


def _beside(command: str, work: str, beside: str, asked: str) -> Rows:
    path = f"performance/{command}.json"
    return Rows(path=path, command=command, work=work, beside=beside, asked=asked, read=_ratios(work))


def _least(what: str, *keys: str, most: float, unit: str = "", factor: float = 1.0) -> Any:
    """One figure that must not exceed `most`."""

    def read(found: Found) -> Iterator[tuple[str, str, bool | None]]:
        value = found
        for key in keys:
            value = value[key]
        yield what, f"{factor * value:.2f}{unit}", value <= most

    return read


def _engine(work: str, beside: str, asked: str, read: Any) -> Rows:
    path, command = "engine/engine.json", "engine"
    return Rows(path=path, command=command, work=work, beside=beside, asked=asked, read=read)


def _share(found: Found) -> Iterator[tuple[str, str, bool | None]]:
    for row in found["rows"]:
        work = f"{row['work']}, {row['data']}, {row['precision']}"
        yield work, f"{100 * row['share']:.0f} %", None


def _all_attacks() -> Iterator[Rows]:
    for data in ("mnist", "cifar-10"):
        for work in ("cw-l2", "pgd-40", "fgsm", "deepfool", "square"):
            asked = CW_ASKED if work == "cw-l2" else 1.0
            for ours in ("purifold", "purifold, all") if work == "pgd-40" else ("purifold",):
                yield Rows(
                    path=f"performance/attacks-{data}.json",
                    command=f"attacks --data {data}",
                    work=f"{work}, {data}" + (", all steps" if ours.endswith("all") else ""),
                    beside=PEERS,
                    asked=">= 2 times the fastest, no lower success"
                    if work == "cw-l2"
                    else "faster than the fastest, no lower success",
                    read=_attack(work, ours, asked),
                )


ROWS: tuple[Rows, ...] = (
    *_all_attacks(),
    _beside("training", "VAE training", "Pythae", ">= 1.5 times"),
    _beside("jpeg", "JPEG purification", "ART's JpegCompression", ">= 2 times"),
    _beside(
        "eot",
        "adaptive PGD, EOT 20, through a VAE",
        "a plain loop over draws",
        ">= 1.5 times, equal gradients",
    ),
    _engine(
        "engine, steps of 1 s",
        "bare function calls",
        "<= 3 %",
        _least("engine, steps of 1 s", "share_at_1_s", most=0.03, unit=" %", factor=100),
    ),
    _engine(
        "engine, a step",
        "bare function calls",
        "<= 5 ms",
        _least("engine, a step", "local_ms", most=5.0, unit=" ms"),
    ),
    _engine(
        "`purifold --help`", "", "< 0.5 s", _least("`purifold --help`", "help_seconds", most=0.5, unit=" s")
    ),
    _engine(
        "`import purifold`",
        "`import torch`",
        "< 0.2 s more",
        _least("`import purifold`", "import_seconds", most=0.2, unit=" s"),
    ),
    Rows(
        path="foundation/bench-reconstruction.json",
        command="reconstruction",
        work="a VAE as purifier",
        beside="its convolutions alone",
        asked=">= 0.6 of their rate",
        read=lambda found: iter(
            [("a VAE as purifier", f"{found['ratio']:.2f}", found["ratio"] >= found["aim"])]
        ),
    ),
    Rows(
        path="ae-robustness/bench-stacked.json",
        command="stacked",
        work="Carlini-Wagner on a stacked network",
        beside="its passes alone",
        asked="<= 1.3 times",
        read=_least("Carlini-Wagner on a stacked network", "ratio", most=1.3, unit=" times"),
    ),
    Rows(
        path="performance/kernels.json",
        command="kernels",
        work="kernels",
        beside="a matrix product",
        asked="",
        read=_share,
    ),
)
