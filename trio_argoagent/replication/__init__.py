"""The effects that both programs share: informer -> Source, Replica -> workers -> Cluster, a link's life.

bell       wakes one waiting task
known      the newest known state of each object: the informer's, or our own last answer
outlet     a Source and where its bodies come from
workers    a Replica and the workers that bring its records about
executor   carries out the steps of a plan on one object
copies, statuses, intents   the three plans: a copy, a status on a hub object, an intent
fairness   whose write comes next (pure); sharing: a Cluster whose writes take turns
session    one link: reader, writer, keepalive; its end is a cancelled scope
"""
