"""What AWS means by an error, an ARN, an operation: the vocabulary every other package shares."""
