"""What runs on the other side: the warden, the zygote and each job's init, executed by the environment's own Python.

Only the standard library, and only relative imports: this folder is put on the path of an interpreter that has
nothing of the emulator installed, and is taken off again before a job's code runs.

    warden  (one per environment; user, mount and pid namespaces of its own; light)
    ├── zygote   the image's libraries imported; forks Python processes into the namespaces of jobs
    └── init     pid 1 of one job: builds its root, starts its command, watches its memory, reports its end
"""
