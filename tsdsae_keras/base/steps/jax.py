"""The train step on JAX."""

import jax
import jax.numpy as jnp
import keras

from tsdsae_keras.base.steps.logs import step_logs, track_step


class TrainStep:
    """Mixed into the models when JAX is the backend."""

    def train_step(self, state, data):
        weights, others, slots, metrics = state
        x, _, _ = keras.utils.unpack_x_y_sample_weight(data)
        gradient_of = jax.value_and_grad(self.compute_loss_and_updates, has_aux=True)
        (_, aux), gradients = gradient_of(
            weights, others, metrics, x, None, None, training=True, optimizer_variables=slots
        )
        loss, _, others, metrics = aux
        norm = jnp.sqrt(sum(jnp.sum(jnp.square(gradient)) for gradient in gradients))
        finite = jnp.isfinite(loss) & jnp.isfinite(norm)
        updated = self.optimizer.stateless_apply(slots, gradients, weights)
        weights, slots = jax.tree.map(lambda new, old: jnp.where(finite, new, old), updated, (weights, slots))
        mapping = zip(self.metrics_variables, metrics, strict=True)
        with keras.StatelessScope(state_mapping=mapping) as scope:
            track_step(self, loss, norm, finite, self.batch_size(x))
            logs = step_logs(self)
        metrics = [scope.get_current_value(variable) for variable in self.metrics_variables]
        return logs, (weights, others, slots, metrics)
