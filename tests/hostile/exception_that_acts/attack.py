"""Hostile: Raises exceptions that run code when they are printed, named or unpickled."""


class Meta(type):
    """Lies about the class's name."""

    def __getattribute__(cls, name):
        if name in ("__name__", "__qualname__", "__module__"):
            raise SystemExit(0)
        return super().__getattribute__(name)


class Acting(BaseException, metaclass=Meta):
    """Acts when it is looked at."""

    def __str__(self):
        raise SystemExit(0)

    def __reduce__(self):
        return os.system, (f"touch {OPEN_FOLDER}/{MARK}-reduced",)

    __repr__ = __format__ = __str__
    __traceback__ = __cause__ = __context__ = property(lambda self: sys.exit(0))


def act(x):
    raise Acting
