"""The Featherweight assignment: what a student receives, and edits one file of."""
