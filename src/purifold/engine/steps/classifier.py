"""The classifiers that a system may have: trained here, or with published weights."""

from typing import TypeAlias

from purifold.engine.steps.pretrained import PretrainedClassifier
from purifold.engine.steps.train_classifier import TrainClassifier

Classifying: TypeAlias = TrainClassifier | PretrainedClassifier
