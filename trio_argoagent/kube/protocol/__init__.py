"""The pure part of talking to a Kubernetes API: values in, values out. No I/O, no clock, no chance.

cache        an informer's memory and the changes it reports
staging      the initial events of a watch
packing      large fields, compressed until they are read
backoff      how long to wait after a failure
requests     what to send for each verb
answers      objects and lists out of bodies
watchlines   the events of a watch, out of bytes that are split anywhere
status       the exception that a Status stands for
"""
