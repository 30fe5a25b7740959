"""AWS IAM: roles, their policies and tags. Nothing is enforced: policies are kept, returned and simulated."""
