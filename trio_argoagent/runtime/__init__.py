"""What both programs need besides replication.

config     the values the programs are started with
events     what has just happened, for logs and screens
backoff    when to try again what has failed
redial     when an agent dials again
world      the real clock and randomness
logs       one line per event
logfile    where they go, whatever befalls that
listening  sockets that are closed whatever happens
strangers  who was not let in, and why
"""
