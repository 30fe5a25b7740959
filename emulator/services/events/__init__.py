"""Amazon EventBridge: buses, rules, targets, events; and the events that SageMaker emits."""
