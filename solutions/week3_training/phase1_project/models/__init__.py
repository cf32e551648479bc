"""The network: its layers and ResNet-18."""
