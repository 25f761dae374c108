"""Scenarios: manifests, actions, belief and seed; read, checked, in canonical form."""

from __future__ import annotations

from selfheal.scenario.actions import FAULTS, VERBS, Action, BadScenario
from selfheal.scenario.nodes import Nodes
from selfheal.scenario.scenario import Scenario
from selfheal.scenario.selectors import selector

__all__ = ["FAULTS", "VERBS", "Action", "BadScenario", "Nodes", "Scenario", "selector"]
