import json
from dataclasses import asdict

from purifold.training.progress import History


def history(*validation):
    return History(
        train_loss=[1 / 3] * len(validation),
        validation_loss=list(validation),
        learning_rate=[0.1] * len(validation),
        seconds=[1.5] * len(validation),
    )


def test_a_history_survives_json():
    assert History(**json.loads(json.dumps(asdict(history(0.1, 0.2))))) == history(0.1, 0.2)


def test_the_best_epoch_is_the_first_of_the_lowest():
    assert history(3.0, 1.0, 2.0, 1.0).best == 2
    assert History(train_loss=[1.0]).best == 0
