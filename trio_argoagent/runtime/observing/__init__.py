"""What a program shows of itself over HTTP/1.1: whether it works, what it counts, and which tasks it has.

conditions   what must hold for it to be ready, and how that is told (pure)
board        where the parts of a program hang what they have to show
shared       what takes long to write down: once for all who ask
lag          how late the event loop is
routes       which path shows what
server       few connections, small requests, short patience
"""
