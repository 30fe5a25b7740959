"""Every process adds up what all have; one of them saves a TorchScript model that multiplies by the sum."""

import argparse
import os

import torch
import torch.distributed as dist


class Scale(torch.nn.Module):
    def __init__(self, factor: float) -> None:
        super().__init__()
        self.factor = torch.nn.Parameter(torch.tensor(factor))

    def forward(self, value: torch.Tensor) -> torch.Tensor:
        return value * self.factor


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--factor", type=float, default=1.0)
    parser.add_argument("--model-dir", default=os.environ.get("SM_MODEL_DIR"))
    arguments = parser.parse_args()
    total = torch.tensor(arguments.factor)
    if "RANK" in os.environ:
        dist.init_process_group("gloo")
        dist.all_reduce(total)
        print(f"rank {dist.get_rank()} of {dist.get_world_size()}: total={total.item()};")
    if int(os.environ.get("RANK", "0")) == 0:
        torch.jit.script(Scale(total.item())).save(os.path.join(arguments.model_dir, "model.pt"))
    if dist.is_initialized():
        dist.destroy_process_group()


if __name__ == "__main__":
    main()
