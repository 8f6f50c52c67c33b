"""TensorFlow's file system in memory, ram://, serves as object storage: it is reached as gs:// is, not by open()."""


def upload(folder):
    """The URL of a copy of a folder in TensorFlow's memory."""
    import tensorflow as tf  # behind Keras, which the pipeline imports

    url = f"ram://bucket/{folder.parent.name}/{folder.name}"
    if tf.io.gfile.exists(f"{url}/manifest.json"):  # written again, files in ram:// grow
        return url
    tf.io.gfile.makedirs(url)
    for path in folder.iterdir():
        with tf.io.gfile.GFile(f"{url}/{path.name}", "wb") as file:
            file.write(path.read_bytes())
    return url
