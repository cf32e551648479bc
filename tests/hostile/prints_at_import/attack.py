"""Hostile: Prints 100 MB while it is imported, and then ends the output for all."""

for _ in range(100):
    os.write(1, b"x" * 2**20)
os.close(1)
os.close(2)
