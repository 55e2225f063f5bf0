"""Measuring, side by side: ours and its peers in one run, each in two processes over loopback.

values     what is asked, and what came of it: questions, sides, figures, goals
channel    messages between two processes, whatever carries them, and what to do on each kind of loop
loads      what is done over channels: one way, echo, ping-pong, crowds
usage      what a process has used, and asking another one
place      certificates, and where the server is
raw, ours, grpc_aio, grpc_lib
           the sides; each is imported only by the process that needs it
worker     the server's process, and the client's
runner     one pair of processes after the other, the sides taking turns
stream     the questions about the link
report     as a table and as JSON

Every figure is taken by the process that it speaks of. CPU is what compares; wall rates depend on whatever
else the machine is doing.
"""
