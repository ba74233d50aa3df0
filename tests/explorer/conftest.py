"""A page that is served while a test asks for it."""

import contextlib
import threading

from vaegan_tf.explorer import create_server


@contextlib.contextmanager
def serving(*subjects):
    with create_server(subjects, port=0) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()
