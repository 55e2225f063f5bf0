"""Races of what people wait for with what nobody waits for."""

from __future__ import annotations

from typing import Final

from ..test_pressure import CALM, five_webhooks, refreshed_amid_a_webhook
from .judging import Race

PRESSING: Final = (
    Race("five-webhooks", five_webhooks, settings=CALM),
    Race("refreshed-amid-a-webhook", refreshed_amid_a_webhook, settings=CALM),
)
