"""What a step averages over replicas and what it reports, whatever the backend."""

from keras import ops

from tsdsae_keras.networks import replicas


def average_step(loss, gradients):
    """Loss and gradients, some of them None, of the whole batch: on several devices the averages over replicas."""
    loss, *averaged = replicas.average([loss, *(gradient for gradient in gradients if gradient is not None)])
    left = iter(averaged)
    return loss, [None if gradient is None else next(left) for gradient in gradients]


def track_step(model, loss, norm, finite, batch):
    """Updates the means of loss and gradient norm, which take only finite values, and the count of skipped steps."""
    _add_finite(model._loss_tracker, loss, ops.isfinite(loss), batch)
    _add_finite(model.norm_tracker, norm, finite, batch)
    model.skipped_tracker.update_state(ops.cast(ops.logical_not(finite), "float32"))


def _add_finite(tracker, value, finite, batch):
    weight = ops.where(finite, ops.cast(batch, "float32"), 0.0)
    tracker.update_state(ops.where(finite, value, 0.0), sample_weight=weight)


def step_logs(model):
    """The terms that were worked out and the loss, the gradient norm and the count of skipped steps in this epoch."""
    trackers, idle = (model.norm_tracker, model.skipped_tracker), model.idle_terms()
    results = {name: value for name, value in model.get_metrics_result().items() if name not in idle}
    # Plus zero: on PyTorch a sum is the variable itself, which validation resets before the epoch's logs are read.
    return results | {tracker.name: tracker.result() + 0.0 for tracker in trackers}
