"""The command line, thin: options are read, the module that does it is called."""
