"""The built-in resources that can be watched, for who has no API server to ask. A test holds them to a real one.

The core group stands first, as in kubectl's order. Of a resource with several versions it has the preferred one.
"""

from bridge.model.resource import Resource

_TABLE = """
configmaps                     v1 -                          ConfigMap                        namespaced cm
endpoints                      v1 -                          Endpoints                        namespaced ep
events                         v1 -                          Event                            namespaced ev
limitranges                    v1 -                          LimitRange                       namespaced limits
namespaces                     v1 -                          Namespace                        cluster    ns
nodes                          v1 -                          Node                             cluster    no
persistentvolumeclaims         v1 -                          PersistentVolumeClaim            namespaced pvc
persistentvolumes              v1 -                          PersistentVolume                 cluster    pv
pods                           v1 -                          Pod                              namespaced po
podtemplates                   v1 -                          PodTemplate                      namespaced
replicationcontrollers         v1 -                          ReplicationController            namespaced rc
resourcequotas                 v1 -                          ResourceQuota                    namespaced quota
secrets                        v1 -                          Secret                           namespaced
serviceaccounts                v1 -                          ServiceAccount                   namespaced sa
services                       v1 -                          Service                          namespaced svc
apiservices                    v1 apiregistration.k8s.io     APIService                       cluster
controllerrevisions            v1 apps                       ControllerRevision               namespaced
daemonsets                     v1 apps                       DaemonSet                        namespaced ds
deployments                    v1 apps                       Deployment                       namespaced deploy
replicasets                    v1 apps                       ReplicaSet                       namespaced rs
statefulsets                   v1 apps                       StatefulSet                      namespaced sts
events                         v1 events.k8s.io              Event                            namespaced ev
horizontalpodautoscalers       v2 autoscaling                HorizontalPodAutoscaler          namespaced hpa
cronjobs                       v1 batch                      CronJob                          namespaced cj
jobs                           v1 batch                      Job                              namespaced
certificatesigningrequests     v1 certificates.k8s.io        CertificateSigningRequest        cluster    csr
ingressclasses                 v1 networking.k8s.io          IngressClass                     cluster
ingresses                      v1 networking.k8s.io          Ingress                          namespaced ing
networkpolicies                v1 networking.k8s.io          NetworkPolicy                    namespaced netpol
poddisruptionbudgets           v1 policy                     PodDisruptionBudget              namespaced pdb
clusterrolebindings            v1 rbac.authorization.k8s.io  ClusterRoleBinding               cluster
clusterroles                   v1 rbac.authorization.k8s.io  ClusterRole                      cluster
rolebindings                   v1 rbac.authorization.k8s.io  RoleBinding                      namespaced
roles                          v1 rbac.authorization.k8s.io  Role                             namespaced
csidrivers                     v1 storage.k8s.io             CSIDriver                        cluster
csinodes                       v1 storage.k8s.io             CSINode                          cluster
csistoragecapacities           v1 storage.k8s.io             CSIStorageCapacity               namespaced
storageclasses                 v1 storage.k8s.io             StorageClass                     cluster    sc
volumeattachments              v1 storage.k8s.io             VolumeAttachment                 cluster
mutatingwebhookconfigurations  v1 admissionregistration.k8s.io MutatingWebhookConfiguration   cluster
validatingadmissionpolicies    v1 admissionregistration.k8s.io ValidatingAdmissionPolicy      cluster
validatingwebhookconfigurations v1 admissionregistration.k8s.io ValidatingWebhookConfiguration cluster
customresourcedefinitions      v1 apiextensions.k8s.io       CustomResourceDefinition         cluster    crd,crds
priorityclasses                v1 scheduling.k8s.io          PriorityClass                    cluster    pc
leases                         v1 coordination.k8s.io        Lease                            namespaced
runtimeclasses                 v1 node.k8s.io                RuntimeClass                     cluster
endpointslices                 v1 discovery.k8s.io           EndpointSlice                    namespaced
flowschemas                    v1 flowcontrol.apiserver.k8s.io FlowSchema                     cluster
prioritylevelconfigurations    v1 flowcontrol.apiserver.k8s.io PriorityLevelConfiguration     cluster
"""


def _read(line: str) -> tuple[Resource, tuple[str, ...]]:
    plural, version, group, kind, scope, *short = line.split()
    resource = Resource(group.removeprefix("-"), version, plural, kind, scope == "namespaced")
    return resource, tuple(short[0].split(",")) if short else ()


BUILT_IN = tuple(_read(line) for line in _TABLE.strip().splitlines())
"""Each with its short names."""
