"""Encoders of questions about scans: VoteNet finds objects, an LSTM reads the words, MCAN lets them see one another."""
