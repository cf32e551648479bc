"""A small deep learning framework in NumPy, to be read in an evening.

Begin with tensor.py, which is the engine; everything else is built on it. Then, in this order:
ops.py and conv.py (operations), module.py and layers.py (layers), norms.py, recurrent.py,
losses.py, optimizers.py, schedules.py, loader.py, checkpoint.py, and fit.py, which is the loop.
"""
