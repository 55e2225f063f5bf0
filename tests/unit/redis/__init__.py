"""Redis: the client, over memory and sockets."""
