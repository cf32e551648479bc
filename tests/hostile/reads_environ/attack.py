"""Hostile: Looks for secrets and signs of the grader in its environment and host name."""

KNOWN = {"HOME", "TMPDIR", "LC_ALL", "LC_CTYPE", "LD_LIBRARY_PATH", "PYTHONHASHSEED", "PWD"}
KNOWN |= {"OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_CORETYPE"}


def act(x):
    for name in os.environ:
        if name not in KNOWN:
            found(f"environment {name}")
    for text in (*sys.path, *sys.argv, *sys.orig_argv, os.getcwd(), sys.executable, sys.prefix):
        if any(path in text for path in HOST_PATHS):
            found(f"a path of the host: {text}")
