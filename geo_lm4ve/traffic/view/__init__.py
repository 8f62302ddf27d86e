"""How scenes are shown to a model: frame, agents, lanes."""
