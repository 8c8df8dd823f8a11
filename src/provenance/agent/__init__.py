"""What runs inside the user's interpreter, and the readers of what it wrote."""
