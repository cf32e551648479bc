"""The notebook that brings the course into Colab, or into any Jupyter, and checks from a cell."""

# %% [markdown]
# # Neural Network Foundations in a notebook
#
# For those who work in Google Colab or in Jupyter on somebody else's machine. The cells below
# fetch the course's files and check your work; you write it in the files themselves.
#
# In Colab nothing stays when the session ends: keep the course in your Drive (the second cell), or
# download what you hand in.

# %%
ADDRESS = ""  # of the course's files: a .zip, or a git repository; "": you are asked for the .zip
KEEP_IN_DRIVE = False  # True: in Colab, the course lies in your Google Drive and stays there

# %%
import io
import os
import subprocess
import sys
import urllib.request
import zipfile
from pathlib import Path

FOLDER = "neural-network-foundations"


def unpack(content: bytes) -> None:
    """Unpack a .zip into FOLDER, without the folder that all of it may lie in."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        start = min((n for n in archive.namelist() if n.split("/")[-1] == "check.py"), key=len)
        above = start[: -len("check.py")]
        for name in archive.namelist():
            if name.startswith(above) and not name.endswith("/"):
                path = Path(FOLDER, name[len(above) :])
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(archive.read(name))


if KEEP_IN_DRIVE:
    from google.colab import drive

    drive.mount("/content/drive")
    os.chdir("/content/drive/MyDrive")
if not Path("check.py").exists():  # else this notebook lies among the course's files
    if not Path(FOLDER, "check.py").exists():
        if ADDRESS.endswith(".zip"):
            unpack(urllib.request.urlopen(ADDRESS).read())
        elif ADDRESS:
            subprocess.run(["git", "clone", "--depth", "1", ADDRESS, FOLDER], check=True)
        else:
            from google.colab import files

            (content,) = files.upload().values()
            unpack(content)
    os.chdir(FOLDER)


def check(*arguments: object) -> None:
    """Run check.py with these arguments, and show what it says."""
    command = [sys.executable, "check.py", *map(str, arguments)]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    print(done.stdout)


check("setup", "--here")
print("The course is in", Path.cwd())

# %% [markdown]
# ## Work
#
# Open the week's handout, `assignments/week1_backprop/README.md`, and the file of its first task,
# `neural_net.py`, beside it: in Colab in the file browser on the left, where a double click opens
# an editor. Save, then run a cell like this.

# %%
check(1, "--task", "week1.relu")

# %% [markdown]
# All of week 1, and what a failing check called your code with:

# %%
check(1, "--inputs")

# %% [markdown]
# ## Hand in
#
# This writes `week1.zip` and says what the public tests say of it. In Colab the file browser
# downloads it (the three dots beside its name).

# %%
check("handin", 1)
