"""What a machine did while the load ran: one file a source of numbers.

A file defines one subclass of `genload.monitor.Monitor`, named ``Monitor``:

    class Monitor(genload.monitor.Monitor):
        Settings = MySettings             # a MonitorSettings; what `monitors: {name: {…}}` may say in a suite
        metrics = ("server.memory",)      # names from the catalogue that it can fill
        def open(self) -> None: ...       # connect; tried again at every tick until it does not raise
        def sample(self) -> Mapping[str, float]: ...   # one tick, base units; what is not offered is absent
        def close(self) -> None: ...

It is found by the file's name: a user's own ``monitors/`` in the working directory first, then this folder.
It runs in the sampler's process, plain Python with one thread a monitor: blocking calls are welcome, and
whatever it raises becomes a sample with an error. A monitor that knows something although a tick went wrong
raises `genload.monitor.MonitorError` with the values it has.

`genload.monitor.Monitor` says what else it may define: what it measures (`facts`), a last look (`history`),
why there is nothing for it on this machine (`nothing_here`).
"""
