"""Simulated Argo CD: programs that write Applications as the real ones do, over any ``ports.Cluster``.

A fake that only ticks a status finds nothing. This one patches without resourceVersions from stale copies,
rewrites specs, replaces whole lists, swallows operations, and hangs where Argo CD hangs.

names             the words on the objects; ``Settings`` and the two dialects, 3.5 and 3.6
applications      sample Applications and AppProjects
git               what a source deploys, and at which revision
world             a cluster's workload, its faults, and the logs that oracles read
writes            what a pass decides: writes W1 to W9, effects on the world, when to look again
compare           Git against the workload: sync status, health, resources
autosync          may this comparison start an operation?
reconcile         one refresh
operations        one pass over ``.operation``
deletion          one pass over a deleting Application
workqueue         a key waits once and is worked on by one task at a time
writer            the controller's copy, and its ways of writing
application_controller   the shell: informers, queues, passes
waiting           how that server and its command line wait
argocd_server     what the API server of Argo CD and its command line write
generators        which Applications an ApplicationSet generates
ownership         what an ApplicationSet owns on them, and the patch that makes it so
rollingsync       which of them a progressive sync may start now
applicationset    one reconcile of an ApplicationSet, with the table of its behaviours
applicationset_controller   its shell: informers, queue, counters
notifications     alerts once for each sync, and notes that on the Application
image_updater     writes the newest images into specs

The writes of the application-controller (MP merge patch, JP JSON patch):

==  =====================================================  =====================  ==========================
    what                                                   when                   where Argo CD does it
==  =====================================================  =====================  ==========================
W1  MP diff of status; none if empty                       end of a refresh       persistAppStatus
W2  JP test and remove of the refresh request              3.6: after W1;         handleRefreshAnnotation
                                                           3.5: inside W1
W3  3.6: JP add operationState; 3.5: MP. At the end        start, progress, end   setOperationState
    ``.operation`` goes in the same patch
W4  MP whole history                                       full sync, before W3   persistRevisionHistory
W5  MP diff of spec                                        after comparing        normalizeApplication
W6  MP whole finalizers, of a maybe stale copy             hooks, deletion steps  updateFinalizers
W7  MP whole conditions: DeletionError                     a deletion step fails  setAppCondition
W8  MP status.sourceHydrator; JP test and remove of the    begins, ends           hydrator
    request; at the end MP a refresh request
W9  PUT with resourceVersion: ``.operation``,              auto-sync              SetAppOperation
    operationState removed
==  =====================================================  =====================  ==========================
"""
