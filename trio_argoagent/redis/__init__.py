"""Redis from the client's side: as much of it as Argo CD's cache needs.

client      one connection: commands of any number of tasks, pipelined
server      where a Redis is, and who we are to it
errors      how it fails
protocol    the pure part: RESP, and what Argo CD keeps there
"""
