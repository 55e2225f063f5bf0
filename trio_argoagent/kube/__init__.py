"""The Kubernetes API from the client's side.

informer      a collection kept in memory, over any ``ports.cluster.Cluster``
reflector     the loop under it: read everything, follow, begin again
snapshot      a whole collection at one moment, in pages
client        the ``Cluster`` port over HTTP
session       connections and credentials under the client, both replaced while it runs
credentials   where the API server is, and who we are to it
protocol      the pure part of all three
"""
