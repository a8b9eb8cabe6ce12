import json
import math
from dataclasses import asdict

import jaxtyping
import pytest

from purifold.errors import InputError
from purifold.training.config import TrainingConfig


def test_a_configuration_survives_json():
    config = TrainingConfig(epochs=3, optimizer="adamw", patience=2, learning_rate=1 / 3)
    assert TrainingConfig(**json.loads(json.dumps(asdict(config)))) == config


@pytest.fixture
def unchecked():
    """Without the run-time check of types, which would refuse an unknown name first."""
    jaxtyping.config.update("jaxtyping_disable", True)
    yield
    jaxtyping.config.update("jaxtyping_disable", False)


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"epochs": 0}, "epochs must be 1 or above, got 0"),
        ({"batch_size": -1}, "batch_size must be 1 or above, got -1"),
        ({"patience": 0}, "patience must be 1 or above, got 0"),
        ({"learning_rate": 0.0}, "learning_rate must be above 0"),
        ({"learning_rate": math.nan}, "learning_rate must be above 0"),
        ({"learning_rate": math.inf}, "learning_rate must be above 0"),
        ({"momentum": 1.0}, r"momentum must lie in \[0, 1\), got 1.0"),
        ({"weight_decay": -0.1}, "weight_decay must be 0 or above"),
        ({"optimizer": "adm"}, "unknown optimizer 'adm'; did you mean 'adam'"),
        ({"schedule": "cosin"}, "unknown schedule 'cosin'; did you mean 'cosine'"),
        ({"precision": "16-true"}, "unknown precision '16-true'"),
        ({"augment": "flip"}, "unknown augment 'flip'; did you mean 'flip-crop'"),
    ],
)
def test_a_value_out_of_range_is_refused_by_name(wrong, words):
    with pytest.raises(InputError, match=words):
        TrainingConfig(**{"epochs": 1, **wrong})
