"""A component that takes its time with "slowly", so that a test can kill Rasa in a turn."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.MESSAGE_FEATURIZER, is_trainable=False)
class Slow(GraphComponent):
    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> Slow:
        return cls()

    def process(self, messages: list[Message]) -> list[Message]:
        mark = Path("turn-has-begun")
        for message in messages:
            if "slowly" in str(message.get("text")) and not mark.exists():
                mark.write_text(str(os.getpid()))
                time.sleep(20)
        return messages

    def process_training_data(self, training_data: TrainingData) -> TrainingData:
        return training_data
