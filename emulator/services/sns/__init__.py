"""Amazon SNS: topics, and subscriptions of queues and functions."""
