"""Amazon Resource Names: building and taking apart."""

from __future__ import annotations

from dataclasses import dataclass

from emulator.aws.errors import ValidationException

PARTITIONS = {"cn-": "aws-cn", "us-gov-": "aws-us-gov"}


def partition_of(region: str) -> str:
    """The partition a region belongs to (AWS General Reference, "ARN format")."""
    return next((name for prefix, name in PARTITIONS.items() if region.startswith(prefix)), "aws")


@dataclass(frozen=True, slots=True)
class Arn:
    """``arn:partition:service:region:account:resource``; ``resource`` keeps its own slashes and colons."""

    partition: str
    service: str
    region: str
    account: str
    resource: str

    @classmethod
    def parse(cls, text: str) -> Arn:
        parts = text.split(":", 5)
        if len(parts) != 6 or parts[0] != "arn" or not parts[5]:
            raise ValidationException(f"Invalid ARN: {text}")
        return cls(*parts[1:])

    @property
    def resource_type(self) -> str:
        """``pipeline`` of ``arn:aws:sagemaker:us-east-1:1:pipeline/flights``."""
        return self.resource.split("/", 1)[0]

    @property
    def resource_id(self) -> str:
        """``flights`` of ``arn:aws:sagemaker:us-east-1:1:pipeline/flights``."""
        return self.resource.partition("/")[2]

    def __str__(self) -> str:
        return f"arn:{self.partition}:{self.service}:{self.region}:{self.account}:{self.resource}"


def sagemaker_arn(account: str, region: str, resource_type: str, resource_id: str) -> str:
    """The ARN of a SageMaker resource. The name keeps its case, as today (in 2021 it was lower-cased)."""
    return str(Arn(partition_of(region), "sagemaker", region, account, f"{resource_type}/{resource_id}"))
