"""The base of the layers here."""

from keras import layers


class MaskedLayer(layers.Layer):
    """A layer that may meet masks: it is given them by name where it needs them, and lets them pass where not."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True
