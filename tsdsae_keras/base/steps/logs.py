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
    batch, known = ops.cast(batch, "float32"), ops.isfinite(loss)
    weight = ops.where(known, batch, 0.0)
    model._loss_tracker.update_state(ops.where(known, loss, 0.0), sample_weight=weight)
    model.norm_tracker.update_state(norm, batch, finite)
    model.skipped_tracker.update_state(ops.cast(ops.logical_not(finite), "float32"))


def step_logs(model):
    """The terms that were worked out and the loss, the gradient norm and the count of skipped steps in this epoch."""
    trackers, idle = (model.norm_tracker, model.skipped_tracker), model.idle_terms()
    results = {name: value for name, value in model.get_metrics_result().items() if name not in idle}
    # Plus zero: on PyTorch a sum is the variable itself, which validation resets before the epoch's logs are read.
    return results | {tracker.name: tracker.result() + 0.0 for tracker in trackers}
