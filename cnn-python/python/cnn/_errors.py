"""What can go wrong; each message is the one that the command `cnn` prints."""


class Error(Exception):
    """Why a network could not be loaded, compiled or run."""


class ModelError(Error, ValueError):
    """The model is wrong, or an ONNX file has what cannot be imported: everything found, each with its place."""


class WeightsError(Error, ValueError):
    """Tensors are missing, of another shape, or their file is damaged: every problem found."""


class InputError(Error, ValueError):
    """An array does not fit: which, what was expected, what was found."""


class FileError(Error, OSError):
    """A file cannot be read or written, or is not what it should be."""


class OutOfMemoryError(Error, MemoryError):
    """The network needs more memory than it may take; counted before any is taken."""


class OptionError(Error, ValueError):
    """An option or a name has no meaning here."""


class LimitError(Error, RuntimeError):
    """A valid network is beyond what the back end or the machine can do."""


class InternalError(Error, RuntimeError):
    """A fault of this library; please report it."""
