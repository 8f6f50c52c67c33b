"""The train step on TensorFlow, alone or on each replica of a `tf.distribute` strategy."""

import keras
import tensorflow as tf

from tsdsae_keras.base.steps.logs import average_step, step_logs, track_step
from tsdsae_keras.networks import replicas


class TrainStep:
    """Mixed into the models when TensorFlow is the backend."""

    def train_step(self, data):
        x, _, _ = keras.utils.unpack_x_y_sample_weight(data)
        weights = self.trainable_weights
        with replicas.split_batch():
            with tf.GradientTape() as tape:
                outputs = self(x, training=True)
                loss = self.compute_loss(x=x, y_pred=outputs, training=True)
                scaled = self.optimizer.scale_loss(loss)
            loss, gradients = average_step(loss, tape.gradient(scaled, weights))
            apply = self._apply if replicas.count() == 1 else self._apply_to_replica
        norm = tf.linalg.global_norm(gradients)
        finite = tf.math.is_finite(loss) & tf.math.is_finite(norm)
        apply(finite, gradients, weights)
        track_step(self, loss, norm, finite, self.batch_size(x))
        return step_logs(self)

    def test_step(self, data):
        if self._distribute_strategy is None:
            return super().test_step(data)
        # Keras's own multiplies the loss by the replicas, taking it to be divided by them; here every replica computes
        # the whole batch.
        x, _, _ = keras.utils.unpack_x_y_sample_weight(data)
        loss = self.compute_loss(x=x, y_pred=self(x, training=False), training=False)
        self._loss_tracker.update_state(loss, sample_weight=self.batch_size(x))
        return self.get_metrics_result()

    def _apply(self, finite, gradients, weights):
        _run_if(finite, lambda: self.optimizer.apply(gradients, weights))

    def _apply_to_replica(self, finite, gradients, weights):
        """The step of Keras's optimizer on this replica's copies of the weights and slots.

        `Optimizer.apply` would add gradients up over replicas; these are averages already, the same on all. It would
        also wait for the other replicas, which nothing inside of a condition can.
        """
        optimizer = self.optimizer
        pairs = [each for each in zip(gradients, weights, strict=True) if each[0] is not None]
        rate, clipped = optimizer.learning_rate, optimizer._clip_gradients([gradient for gradient, _ in pairs])

        def update():
            for gradient, (_, weight) in zip(clipped, pairs, strict=True):
                optimizer.update_step(gradient, weight.value, rate)

        _run_if(finite, update)
        optimizer._iterations.assign_add(tf.cast(finite, optimizer._iterations.dtype))

    def _maybe_symbolic_build(self, iterator=None, data_batch=None):
        # Keras would average a first batch over replicas, which a mask does not survive; models here are built already.
        if self._distribute_strategy is not None:
            with self._distribute_strategy.scope():
                self.optimizer.build(self.trainable_variables)


def _run_if(finite, update):
    def run():
        update()
        return tf.constant(True)

    tf.cond(finite, run, lambda: tf.constant(False))
