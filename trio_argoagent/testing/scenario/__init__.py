"""Scenario files: a fleet, its workload, a timeline of outages, and what must be so, in YAML.

``parsing.parse`` checks a whole file and makes a ``Scenario`` of it, ``running.run`` plays it in virtual time
under all monitors, and its ``Outcome`` says what did not hold:

    run(parse(Path("outage.yaml").read_text(), "outage.yaml")).check()

nodes       YAML as a tree that knows its lines
readers     single values: times, names of agents and objects, paths of fields
filling     holes in texts
objects     objects in short forms, judged by a scratch API server
conditions  what is waited for and expected
actions     what a step can be
parsing     the whole file
values      what comes of it
counting    what has happened, to be counted
judging     is a condition so?
doing       carries steps out
crowd       people at work meanwhile
telling     what happens, for people; ``Outcome``
running     plays a scenario
"""
