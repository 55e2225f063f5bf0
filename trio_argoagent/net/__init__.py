"""Bytes on a wire.

address   host and port as people write them
contexts  SSL contexts from PEM bytes; names and fingerprints of certificates
tls       TLS over any byte stream
protocol  HTTP/2 without a socket (pure)
http2     the driver: one reader, one writer, a scope per stream
http2_serving
          who answers requests: tasks, or the reader's step
http      one request and its answer, whichever HTTP it came by
http1     the serving side of HTTP/1.1; http1_client: the asking side
server    HTTPS, both versions
dialling  TCP and TLS towards a server
proxy     which HTTP proxy is to be used, and when; connect: the tunnel through it
lanes     what one connection of a client can take, HTTP/2 or HTTP/1.1
client    requests to one server, on as many connections as they need
responses answers as a client sees them
sockets   what the kernel should know
linger    closing so that the last words arrive
errors    how connections end, and whether trying again is safe
"""
