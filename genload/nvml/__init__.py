"""What the driver's library (NVML) says about NVIDIA GPUs, in base units; what is not offered is absent.

NVML answers "not supported" for what a board, a driver or a user does not get: that is no error and no 0.
Whatever else it answers (a GPU that is lost, a driver that is replaced) is raised as `pynvml.NVMLError`.
"""
