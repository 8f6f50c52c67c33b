"""The train step on PyTorch."""

import keras
import torch

from tsdsae_keras.base.steps.logs import average_step, step_logs, track_step
from tsdsae_keras.networks import replicas


class TrainStep:
    """Mixed into the models when PyTorch is the backend."""

    def train_step(self, data):
        x, _, _ = keras.utils.unpack_x_y_sample_weight(data)
        self.zero_grad()
        with replicas.split_batch():
            outputs = self(x, training=True)
            loss = self.compute_loss(x=x, y_pred=outputs, training=True)
            self.optimizer.scale_loss(loss).backward()
            weights = list(self.trainable_weights)
            with torch.no_grad():
                loss, gradients = average_step(loss.detach(), [weight.value.grad for weight in weights])
        with torch.no_grad():
            norm = torch.nn.utils.get_total_norm([gradient for gradient in gradients if gradient is not None])
            finite = torch.isfinite(loss) & torch.isfinite(norm)
            if finite:
                self.optimizer.apply(gradients, weights)
            track_step(self, loss, norm, finite, self.batch_size(x))
        return step_logs(self)
