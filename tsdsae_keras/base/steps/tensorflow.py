"""The train step on TensorFlow."""

import keras
import tensorflow as tf

from tsdsae_keras.base.steps.logs import step_logs, track_step


class TrainStep:
    """Mixed into the models when TensorFlow is the backend."""

    def train_step(self, data):
        x, _, _ = keras.utils.unpack_x_y_sample_weight(data)
        with tf.GradientTape() as tape:
            outputs = self(x, training=True)
            loss = self.compute_loss(x=x, y_pred=outputs, training=True)
            scaled = self.optimizer.scale_loss(loss)
        weights = self.trainable_weights
        gradients = tape.gradient(scaled, weights)
        norm = tf.linalg.global_norm(gradients)
        finite = tf.math.is_finite(loss) & tf.math.is_finite(norm)
        tf.cond(finite, lambda: self._apply(gradients, weights), lambda: tf.constant(False))
        track_step(self, loss, norm, finite, self.batch_size(x))
        return step_logs(self)

    def _apply(self, gradients, weights):
        self.optimizer.apply(gradients, weights)
        return tf.constant(True)
