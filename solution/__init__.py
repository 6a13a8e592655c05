"""The reference solution. Never shipped to students; only the tool that grades it imports it."""
