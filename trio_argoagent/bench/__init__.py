"""Measuring, side by side: ours and its peers in one run, each in processes of its own over loopback.

figures    quantities, as several rounds have shown them
questions  what is asked: cases, sides, goals, growth, and how one round is measured
runner     asks one question, the sides taking turns
answers    what came of it: rows, and what became of goals
growth     the exponent of a cost over sizes
machine    what it was measured on
report     tables on a terminal
page       one HTML page; its pictures: plots
results    JSON files, written and read
keeping    the folder that they go to
comparing  two sets of figures: better, worse, or chance?
catalogue  all questions by name

stream     the questions about the link, which pairs of processes answer:
  pairs    one pair after the other
  worker   the server's process, and the client's
  channel  messages between two processes, whatever carries them, and what to do on each kind of loop
  loads    what is done over channels: one way, echo, ping-pong, crowds
  usage    what a process has used, and asking another one
  place    certificates, and where the server is
  raw, ours, grpc_aio, grpc_lib
           the sides; each is imported only by the process that needs it

fleet      the questions about whole fleets of processes
kube       the questions about Kubernetes clients and the embedded API server
virtual    the questions about fleets in virtual time
counts     the question how many instructions pieces of work take
objects    what Applications are filled with
children   processes that are gone when a measurement ends
apart      what is measured in a process of its own

Every figure is taken by the process that it speaks of. CPU is what compares; wall rates depend on whatever
else the machine is doing.
"""
