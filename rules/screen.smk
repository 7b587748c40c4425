# What a run shows: a line per finished job, a bar of those at work, last the sentences of those that failed.
import screen

screen.show(workflow)
