"""Network layers that several modalities use."""
