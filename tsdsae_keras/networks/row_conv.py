"""Strided convolutions along one axis and their transposes, fast on every backend.

As in PyTorch, as many zero rows are put before as behind, where Keras's "same" may put one more behind. On XLA both are
one matrix product on blocks of `stride` rows (see `conv`), elsewhere the backend's own functions pad and crop. The
weights are those of Keras's layers, and so are the names of the classes, by which a .keras file finds them.
"""

from keras import layers, ops

from tsdsae_keras.networks.conv import call_quickly, shifted_products


class _Padded:
    """What both are made of.

    Args:
        filters: channels out.
        size, stride: of the kernel.
        rows: of zeros before the first row, and behind the last.
        options: others of Keras's layer.
    """

    def __init__(self, filters, size, stride, rows, **options):
        super().__init__(filters, size, stride, padding="valid", **options)
        self.rows = rows


class Conv1D(_Padded, layers.Conv1D):
    """(batch, n, in) -> (batch, (n + 2 rows - size) // stride + 1, filters)."""

    def call(self, inputs):
        outputs = call_quickly(self, "row_conv", inputs, self.strides[0], self.rows)
        return super().call(ops.pad(inputs, ((0, 0), (self.rows, self.rows), (0, 0)))) if outputs is None else outputs

    def by_product(self, x):
        """The convolution as one matrix product, without bias and activation."""
        stride, (count, kernel) = self.strides[0], in_blocks(self.kernel, self.strides[0])
        outputs = (x.shape[1] + 2 * self.rows - self.kernel.shape[0]) // stride + 1
        behind = (outputs + count - 1) * stride - x.shape[1] - self.rows
        x = ops.pad(x[:, : x.shape[1] + min(behind, 0)], ((0, 0), (self.rows, max(behind, 0)), (0, 0)))
        x = ops.reshape(x, (-1, outputs + count - 1, 1, stride * x.shape[-1]))
        kernel = ops.reshape(kernel, (count, -1, self.filters))
        return shifted_products(x, kernel, [(i, 0) for i in range(count)])[:, :, 0]


class Conv1DTranspose(_Padded, layers.Conv1DTranspose):
    """The transpose of `Conv1D`: (batch, n, in) -> (batch, (n - 1) stride - 2 rows + size, filters)."""

    def call(self, inputs):
        outputs = call_quickly(self, "row_conv_transpose", inputs, self.strides[0], self.rows)
        return super().call(inputs)[:, self.rows : -self.rows or None] if outputs is None else outputs

    def by_product(self, x):
        """The transposed convolution as one matrix product, without bias and activation."""
        stride, (count, kernel) = self.strides[0], in_blocks(self.kernel, self.strides[0])
        outputs = (x.shape[1] - 1) * stride - 2 * self.rows + self.kernel.shape[0]
        kernel = ops.reshape(ops.transpose(kernel, (0, 3, 1, 2)), (count, x.shape[-1], -1))
        # Block q is a sum over the rows q, q - 1, ... of x.
        x = ops.pad(x, ((0, 0), (count - 1, count - 1), (0, 0)))[:, :, None]
        blocks = shifted_products(x, kernel, [(count - 1 - i, 0) for i in range(count)])
        return ops.reshape(blocks, (-1, blocks.shape[1] * stride, self.filters))[:, self.rows : self.rows + outputs]


def in_blocks(kernel, stride):
    """How many blocks of `stride` rows cover a kernel (size, a, b), and the kernel in them, (count, stride, a, b)."""
    count = -(-kernel.shape[0] // stride)
    kernel = ops.pad(kernel, ((0, count * stride - kernel.shape[0]), (0, 0), (0, 0)))
    return count, ops.reshape(kernel, (count, stride, *kernel.shape[1:]))
