"""The kit that tests, the demo and the benchmarks share; it is shipped.

argocd        simulated Argo CD programs and the workload they manage
contracts     what every implementation of the Cluster port must do
scheduling    virtual time under a seeded schedule
network       the Transport port in memory
faults        a Kubernetes API that misbehaves
programs      a process that can be killed and started again
fleet         a whole fleet in one process
oracle        do both sides hold the same?
monitors      what must hold at every write, from the API servers' logs
workload      what people and pipelines do to a fleet
chaos         what befalls it
trial         one seed, from its beginning to its judgement
"""
