"""A component that breaks on request: at a service that is not there, or by a slip of its own."""

from __future__ import annotations

import socket
from typing import Any

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.MESSAGE_FEATURIZER, is_trainable=False)
class Fragile(GraphComponent):
    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> Fragile:
        return cls()

    def process(self, messages: list[Message]) -> list[Message]:
        for message in messages:
            if message.get("text") == "break the line":
                socket.create_connection(("127.0.0.1", 9), timeout=1)
            if message.get("text") == "break yourself":
                raise ZeroDivisionError("a slip of the bot's author")
        return messages

    def process_training_data(self, training_data: TrainingData) -> TrainingData:
        return training_data
