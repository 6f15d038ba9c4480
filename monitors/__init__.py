"""The files that sample what a machine does during the load. Each file reads one source of numbers.

A file defines one subclass of `genload.monitor.Monitor`, named ``Monitor``:

    class Monitor(genload.monitor.Monitor):
        Settings = MySettings             # a MonitorSettings: the keys of `monitors: {name: {…}}` in a suite
        metrics = ("server.memory",)      # the names of the metrics that it can fill
        def open(self) -> None: ...       # connect; after an exception tried again at the next tick
        def sample(self) -> Mapping[str, float]: ...   # the values at one tick, in base units
        def close(self) -> None: ...

A suite names the file. It is looked for in the folder ``monitors/`` of the working directory first, then in
this one. All monitors run in one process of plain Python, each in a thread of its own: their calls may block.
When a monitor raises an exception, the sample records the error. If it knows some of its values all the same,
it raises `genload.monitor.MonitorError` with them.

`genload.monitor.Monitor` describes the further methods: what the monitor measures (`facts`), samples from
another program (`history`), why there is nothing to sample on this machine (`nothing_here`).
"""
