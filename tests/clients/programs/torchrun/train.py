"""Linear regression over every host: each has rows of its own, gradients are averaged by gloo."""

import os
import socket

import torch
import torch.distributed as dist
from torch.nn.parallel import DistributedDataParallel

dist.init_process_group("gloo")
rank, size = dist.get_rank(), dist.get_world_size()
generator = torch.Generator().manual_seed(rank)
rows = torch.randn(512, 3, generator=generator)
target = rows @ torch.tensor([[1.0], [-2.0], [0.5]]) + 0.25
model = DistributedDataParallel(torch.nn.Linear(3, 1))
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
for _ in range(200):
    optimizer.zero_grad()
    loss = torch.nn.functional.mse_loss(model(rows), target)
    loss.backward()
    optimizer.step()
total = torch.tensor([float(rank + 1)])
dist.all_reduce(total)
weights = [round(value, 3) for value in model.module.weight[0].tolist()]
print(f"rank {rank} of {size} on {socket.gethostname()} sums {total.item():g} and has {weights}", flush=True)
if rank == 0:
    torch.save(model.module.state_dict(), os.path.join(os.environ["SM_MODEL_DIR"], "model.pt"))
dist.destroy_process_group()
