"""Muon (momentum, then the nearest orthogonal matrix) for the weight matrices of the layers."""
import torch


def orthogonalise(g, steps: int = 5):
    """Newton-Schulz iteration on a stack of matrices [n, rows, columns] with rows <= columns."""
    x = g.bfloat16()
    x = x / (x.norm(dim=(1, 2), keepdim=True) + 1e-7)
    for _ in range(steps):
        a = x @ x.mT
        x = 3.4445 * x + (-4.7750 * a + 2.0315 * (a @ a)) @ x
    return x.float()


class Muon(torch.optim.Optimizer):
    def __init__(self, params, lr: float = 0.02, momentum: float = 0.95):
        super().__init__(params, dict(lr=lr, momentum=momentum))

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            shapes = {}
            for p in group["params"]:
                shapes.setdefault(tuple(p.shape), []).append(p)
            for (rows, columns), params in shapes.items():
                updates = []
                for p in params:
                    buffer = self.state[p].setdefault("momentum", torch.zeros_like(p))
                    buffer.lerp_(p.grad, 1 - group["momentum"])
                    updates.append(p.grad.lerp(buffer, group["momentum"]))
                stack = torch.stack(updates)
                stack = orthogonalise(stack) if rows <= columns else orthogonalise(stack.mT).mT
                scale = group["lr"] * max(1, rows / columns) ** 0.5
                for p, update in zip(params, stack):
                    p.add_(update, alpha=-scale)
