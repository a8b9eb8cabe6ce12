"""The classifiers that a system may have: trained here, or with published weights."""

from typing import TypeAlias

from purifold.engine.steps.classifier_training import ClassifierTraining
from purifold.engine.steps.pretrained import PretrainedClassifier

Classifying: TypeAlias = ClassifierTraining | PretrainedClassifier
