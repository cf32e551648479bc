# Buggy: Calls itself by mistake.

Linear.forward = lambda self, x: self.forward(x)
