"""What an autoencoder is built from: hashed, and kept beside its weights so that nothing is unpickled."""

import math
from collections.abc import Mapping
from dataclasses import MISSING, asdict, dataclass, fields
from typing import Any, Literal, TypeAlias, final, get_args

from purifold.autoencoders.base import Autoencoder, ReconstructionLoss, check_objective
from purifold.autoencoders.plain import PlainAutoencoder
from purifold.autoencoders.variational import VariationalAutoencoder, check_variational
from purifold.errors import InputError, unknown
from purifold.networks.base import Shape, autoencoder_names, build_decoder, build_encoder

Kind: TypeAlias = Literal["plain", "variational"]
ALLOWED: dict[Any, tuple[type, ...]] = {bool: (bool,), int: (int,), float: (float, int)}
"""What a field of each type may hold; the options hold strings."""
OF_OBJECTIVE = ("noise_std", "denoising", "contractive_weight", "projections", "reconstruction")
OF_VARIATIONAL = ("beta", "latent_clip")


@final
@dataclass(frozen=True, kw_only=True)
class AutoencoderSpec:
    """Description of an autoencoder but for the image shape.

    Args:
        kind: "plain" or "variational".
        network: One of `networks.base.autoencoder_names()`.
        latent: Latent units.
        noise_std: As in `Autoencoder`, like the four that follow.
        denoising: Whether the clean image is the target.
        contractive_weight: Of the norm of the encoder's Jacobian.
        projections: Random projections that estimate it; only with a contractive weight.
        reconstruction: "bce" or "squared".
        beta: As in `VariationalAutoencoder`; variational only.
        latent_clip: Likewise.
    """

    kind: Kind
    network: str
    latent: int
    noise_std: float = 0.0
    denoising: bool = False
    contractive_weight: float = 0.0
    projections: int = 1
    reconstruction: ReconstructionLoss = "bce"
    beta: float = 1.0
    latent_clip: float = math.inf

    def __post_init__(self) -> None:
        self._check_types()
        if self.kind not in get_args(Kind):
            raise unknown("kind of autoencoder", self.kind, get_args(Kind))
        if self.network not in autoencoder_names():
            raise unknown("autoencoder network", self.network, autoencoder_names())
        if self.latent < 1:
            raise InputError(f"latent must be 1 or above, got {self.latent}")
        check_objective(self.noise_std, self.contractive_weight, self.projections, self.reconstruction)
        check_variational(self.beta, self.latent_clip)
        self._check_honoured()

    @property
    def label(self) -> str:
        """What a progress line calls it: its networks, and what differs from the defaults."""
        plain = AutoencoderSpec(kind=self.kind, network=self.network, latent=self.latent)
        own = [
            f"{field.name} {getattr(self, field.name)}"
            for field in fields(self)
            if getattr(self, field.name) != getattr(plain, field.name)
        ]
        return ", ".join([f"{self.kind} autoencoder {self.network} {self.latent}", *own])

    def build(self, shape: Shape) -> Autoencoder:
        """The autoencoder for images of `shape`, its weights drawn from torch's generator."""
        objective = {name: getattr(self, name) for name in OF_OBJECTIVE}
        decoder = build_decoder(self.network, shape, self.latent)
        if self.kind == "plain":
            return PlainAutoencoder(build_encoder(self.network, shape, self.latent), decoder, **objective)
        encoder = build_encoder(self.network, shape, 2 * self.latent)
        own = {name: getattr(self, name) for name in OF_VARIATIONAL}
        return VariationalAutoencoder(encoder, decoder, **objective, **own)

    def as_json(self) -> dict[str, str | float]:
        """The fields as strict JSON holds them: an infinite clip as its text."""
        return {name: str(value) if value == math.inf else value for name, value in asdict(self).items()}

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> "AutoencoderSpec":
        """The specification that `as_json` wrote; refuses fields that there are not."""
        known = {field.name: field for field in fields(cls)}
        for name in record:
            if name not in known:
                raise unknown("field of an autoencoder", name, known)
        for name, field in known.items():
            if name not in record and field.default is MISSING:
                raise InputError(f"the autoencoder's {name} is missing from its record")
        read: dict[str, Any] = {name: math.inf if value == "inf" else value for name, value in record.items()}
        return cls(**read)

    def _check_types(self) -> None:
        for field in fields(self):
            value, allowed = getattr(self, field.name), ALLOWED.get(field.type, (str,))
            if not isinstance(value, allowed) or (isinstance(value, bool) and bool not in allowed):
                raise InputError(f"{field.name} must be {allowed[0].__name__}, got {value!r}")

    def _check_honoured(self) -> None:
        """Refuses fields that would change the hash and nothing else."""
        for name in OF_VARIATIONAL if self.kind == "plain" else ():
            if getattr(self, name) != getattr(type(self), name):
                raise InputError(
                    f"{name} is of variational autoencoders only; leave it out or choose that kind"
                )
        if self.projections != 1 and not self.contractive_weight:
            raise InputError(
                "projections estimate the contractive penalty; set a contractive_weight or leave them"
            )
