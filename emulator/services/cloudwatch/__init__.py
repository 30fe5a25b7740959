"""CloudWatch metrics: putting, listing and reading them. Logs are a service of their own."""
