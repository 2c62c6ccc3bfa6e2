"""What happens inside a network while it is trained."""
